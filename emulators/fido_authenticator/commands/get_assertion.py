"""authenticatorGetAssertion, CTAP 2.3 §6.2.2, and authenticatorGetNextAssertion, §6.3."""

from dataclasses import dataclass

from emulators.fido_authenticator.attestation import (
    PACKED,
    USER_PRESENT,
    USER_VERIFIED,
    Claim,
    attest,
    attested_credential_data,
    authenticator_data,
)
from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.commands.authorization import (
    Purpose,
    check_always_uv,
    check_list_length,
    check_proof,
    verify_user,
    wants_built_in_uv,
    wants_enterprise_attestation,
)
from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.extensions.extension import Assertion
from emulators.fido_authenticator.messages import PUBLIC_KEY, EmptyRequest, GetAssertionRequest
from emulators.fido_authenticator.pin_uv_auth import Permission, Token
from emulators.fido_authenticator.quirks import Quirk, leave_out, refuse_assertion
from emulators.fido_authenticator.state import State, Steps, Walk
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.user import Prompt

GET_NEXT_ASSERTION = 0x08


@dataclass(slots=True)
class AssertionWalk(Walk):
    """The accounts that getNextAssertion has still to show, the next one last. It ends with the token that began it (§6)."""

    token: Token | None
    request: GetAssertionRequest
    rest: list[Credential]
    user_present: bool
    user_verified: bool
    enterprise: bool


def get_assertion(state: State, request: GetAssertionRequest) -> Steps:
    """Sign with a credential of the relying party: the first allowed one, or the newest of all."""
    auth = request.pin_uv_auth
    # Steps 1 and 2.
    yield from check_proof(state, auth, Prompt.LOG_IN, request.rp_id)

    refuse_assertion(state.profile, request)

    # Steps 4 and 5.
    uv, user_present = _read_options(state, request)

    enterprise = wants_enterprise_attestation(state, request.enterprise_attestation, request.rp_id)

    # Step 6: user verification, by PIN or built in.
    purpose = Purpose(request.client_data_hash, Permission.GA, Prompt.LOG_IN, request.rp_id)
    authorization = yield from verify_user(state, auth, purpose, uv=uv)
    user_verified = authorization.verified

    # Steps 7 and 8: the credentials that the host may see; it needs no more than one from a list of its own.
    found = _visible(state, request, user_verified=user_verified)
    if not found:
        if Quirk.TOUCH_BEFORE_NO_CREDENTIALS in state.profile.quirks and user_present:
            yield from authorization.ask_presence(Prompt.LOG_IN, request.rp_id, "")
        raise CtapError(Status.NO_CREDENTIALS)

    # Steps 8 and 9: user presence.
    if user_present:
        user = found[0].user
        yield from authorization.ask_presence(Prompt.LOG_IN, request.rp_id, (user.name if user else None) or "")
    user_present = authorization.present

    # Steps 11 and 12: a key without a display shows several accounts one by one, for the host to choose.
    walk = AssertionWalk(
        GET_NEXT_ASSERTION,
        state.channel,
        state.stateful_deadline(),
        authorization.token,
        request,
        found[::-1],
        user_present,
        user_verified,
        enterprise,
    )
    response = _next(state, walk, names=user_verified and len(found) > 1)
    if walk.rest:
        response[0x05] = len(found)
        state.walk = walk
    return response


def get_next_assertion(state: State, request: EmptyRequest) -> Steps:
    """Sign with the next account of the getAssertion before."""
    del request
    yield from ()
    # Steps 1 to 3: there is such a getAssertion, not too long ago, and it has accounts left; the time starts anew.
    walk = state.current_walk(AssertionWalk)
    if not walk.rest or (walk.token is not None and walk.token.expired):
        state.walk = None
        raise CtapError(Status.NOT_ALLOWED)
    # Steps 4 to 7.
    return _next(state, walk, names=walk.user_verified)


def _read_options(state: State, request: GetAssertionRequest) -> tuple[bool, bool]:
    """Steps 4 and 5: whether built-in verification is to be done, and whether the user has to be there."""
    # Step 4: "rk" has no meaning here; "up" is true unless the host says otherwise.
    uv = wants_built_in_uv(state, request.pin_uv_auth, request.options)
    if "rk" in request.options:
        raise CtapError(Status.INVALID_OPTION if state.only_2_0 else Status.UNSUPPORTED_OPTION)
    user_present = request.options.get("up", True)
    # Step 5: alwaysUv, from which silent requests are exempt.
    if state.settings.always_uv and user_present:
        uv = check_always_uv(state, request.pin_uv_auth, uv=uv)
    return uv, user_present


def _visible(state: State, request: GetAssertionRequest, *, user_verified: bool) -> list[Credential]:
    if request.allow_list:
        return _allowed(state, request, request.allow_list, user_verified=user_verified)
    return _discoverable(state, request.rp_id, user_verified=user_verified)


def _allowed(
    state: State, request: GetAssertionRequest, allow_list: tuple[bytes, ...], *, user_verified: bool
) -> list[Credential]:
    check_list_length(state, allow_list)
    for credential_id in allow_list:
        credential = state.find(request.rp_id, credential_id)
        if credential and not state.hidden(credential, listed=True, user_verified=user_verified):
            return [credential]
    return []


def _discoverable(state: State, rp_id: str, *, user_verified: bool) -> list[Credential]:
    return [
        credential
        for credential in state.store.credentials(rp_id)
        if credential.discoverable and not state.hidden(credential, listed=False, user_verified=user_verified)
    ]


def _next(state: State, walk: AssertionWalk, *, names: bool) -> dict[int, CborValue]:
    """Take the next account off ``walk`` and sign with it; ``names``: show more of the user than the id."""
    request, credential = walk.request, walk.rest.pop()
    assertion = Assertion(state, request, credential, walk.user_present, walk.user_verified)
    # Step 10: extensions.
    for extension in state.extensions:
        extension.get_assertion(assertion, request.extensions.get(extension.identifier))

    # Step 13: sign.
    flags = (USER_PRESENT if walk.user_present else 0) | (USER_VERIFIED if walk.user_verified else 0)
    counter = state.commit_counted()
    key = state.signing_key(credential)
    attested = b""
    if Quirk.ATTESTED_DATA_IN_ASSERTIONS in state.profile.quirks:
        attested = attested_credential_data(state.profile.aaguid.bytes, credential, key)
    auth_data = authenticator_data(request.rp_id, flags, counter, attested, assertion.outputs)
    response: dict[int, CborValue] = {
        0x01: {"id": credential.id, "type": PUBLIC_KEY},
        0x02: auth_data,
        0x03: key.sign(auth_data + request.client_data_hash),
        **assertion.response,
    }
    # The id lets the relying party know who logs in; names could identify a person to anyone who finds the key.
    if credential.user is not None:
        response[0x04] = credential.user.to_cbor(names=names)
    # Step 13 goes on: an attestation of the assertion, for a host that names a format which can say that.
    if PACKED in request.attestation_formats and PACKED in state.profile.attestation_formats:
        claim = Claim(credential, key, auth_data, request.client_data_hash)
        if walk.enterprise:
            response[0x09] = True
        response[0x0A] = attest(state.authority, state.profile, claim, PACKED, enterprise=walk.enterprise)
    leave_out(state.profile, request, response)
    return response
