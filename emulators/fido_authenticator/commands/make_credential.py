"""authenticatorMakeCredential, CTAP 2.3 §6.1.2."""

from collections.abc import Mapping
from contextlib import suppress

from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.attestation import (
    NONE,
    USER_PRESENT,
    USER_VERIFIED,
    Claim,
    attest,
    attested_aaguid,
    attested_credential_data,
    authenticator_data,
    choose_format,
)
from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.commands.authorization import (
    Purpose,
    check_always_uv,
    check_list_length,
    check_proof,
    verification_required,
    verify_user,
    wants_built_in_uv,
    wants_enterprise_attestation,
)
from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.extensions.extension import Creation
from emulators.fido_authenticator.messages import MakeCredentialRequest
from emulators.fido_authenticator.pin_uv_auth import Permission
from emulators.fido_authenticator.profile import MAX_MESSAGE_BYTES
from emulators.fido_authenticator.quirks import Quirk, asked_extensions, extra_outputs, refuse_creation
from emulators.fido_authenticator.state import Response, State, Steps, ask_presence
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.store import Change, Save
from emulators.fido_authenticator.user import Prompt

_CREDENTIAL_ID_BYTES = 32
_LARGE = 2500
"""Only with authenticator data of more bytes than this a response may be too long."""


def make_credential(state: State, request: MakeCredentialRequest) -> Steps:
    """Make a key pair for a relying party and attest it."""
    auth, rp_id, user_name = request.pin_uv_auth, request.rp.id, request.user.name or ""
    # Steps 1 and 2.
    yield from check_proof(state, auth, Prompt.REGISTER, rp_id)

    refuse_creation(state.profile, request)

    # Step 3: the first algorithm of the host's list that this key has.
    algorithm = next((cose for cose in request.algorithms if cose in state.profile.all_algorithms), None)
    if algorithm is None:
        raise CtapError(Status.UNSUPPORTED_ALGORITHM)

    # Step 5: options.
    uv, discoverable = _read_options(state, request)

    # Steps 6 to 8: whether the host may do without verification.
    uv = _check_unverified(state, request, uv=uv, discoverable=discoverable)

    # Step 9: enterprise attestation.
    enterprise = wants_enterprise_attestation(state, request.enterprise_attestation, rp_id)

    # Steps 10 and 11: user verification, by PIN or built in. (Step 10 leaves out what has nothing to do.)
    purpose = Purpose(request.client_data_hash, Permission.MC, Prompt.REGISTER, rp_id, user_name)
    authorization = yield from verify_user(state, auth, purpose, uv=uv)

    # Step 12: the exclude list. The touch keeps a host from learning at once which credentials are here.
    if _excluded(state, request, user_verified=authorization.verified):
        if not authorization.shows_presence:
            # It is answered alike whether the user touches, refuses or stays away.
            with suppress(CtapError):
                yield from ask_presence(Prompt.EXCLUDED, rp_id, user_name)
        raise CtapError(Status.CREDENTIAL_EXCLUDED)

    # Steps 13 and 14: user presence.
    yield from authorization.ask_presence(Prompt.REGISTER, rp_id, user_name)

    yield from state.finish_preparing(algorithm)

    # Step 15: extensions.
    creation = Creation(state, request, algorithm, authorization.verified)
    asked = asked_extensions(state.profile, request)
    for extension in state.extensions:
        extension.make_credential(creation, asked.get(extension.identifier))
    creation.outputs.update(extra_outputs(state.profile))

    return _create(creation, algorithm, discoverable=discoverable, enterprise=enterprise)


def _read_options(state: State, request: MakeCredentialRequest) -> tuple[bool, bool]:
    """Step 5: whether built-in verification is asked for, and a discoverable credential."""
    options = request.options
    uv = wants_built_in_uv(state, request.pin_uv_auth, options)
    discoverable = _wants_discoverable(state, options)
    # A credential is never made without a touch. CTAP 2.0 §5.1 has no "up" here at all: a known option that is not valid
    # for this command.
    if options.get("up") is False or ("up" in options and state.only_2_0):
        raise CtapError(Status.INVALID_OPTION)
    return uv, discoverable


def _wants_discoverable(state: State, options: Mapping[str, bool]) -> bool:
    """The option "rk", of which a key that has no such option will not hear at all (step 5.4)."""
    unknown = "rk" in options and "rk" not in state.profile.options and not state.only_2_0
    discoverable = options.get("rk", False)
    if unknown or (discoverable and not state.has("rk")):
        raise CtapError(Status.UNSUPPORTED_OPTION)
    return discoverable


def _check_unverified(state: State, request: MakeCredentialRequest, *, uv: bool, discoverable: bool) -> bool:
    """Steps 6 to 8: whether built-in verification is to be done; a host that must prove verification is told so."""
    auth = request.pin_uv_auth
    # Step 6: alwaysUv.
    if state.settings.always_uv:
        return check_always_uv(state, auth, uv=uv)
    # Steps 7 and 8: with makeCredUvNotRqd only discoverable credentials need verification, else all.
    if not uv and auth.param is None and (discoverable or not state.has("makeCredUvNotRqd")) and state.protected:
        raise verification_required(state, supported=False)
    return uv


def _excluded(state: State, request: MakeCredentialRequest, *, user_verified: bool) -> bool:
    exclude_list = request.exclude_list or ()
    check_list_length(state, exclude_list)
    found = (state.find(request.rp.id, credential_id) for credential_id in exclude_list)
    return any(
        not state.hidden(credential, listed=True, user_verified=user_verified) for credential in found if credential
    )


def _keep(creation: Creation, algorithm: int, *, discoverable: bool) -> tuple[Credential, list[Change]]:
    """Steps 16 to 18: the credential, and what of it has to be written."""
    state, request = creation.state, creation.request
    rp = request.rp
    # Step 16: a key pair.
    random = state.env.random
    private_key = creation.private_key
    if not discoverable:
        # Step 18: in its own id.
        unsealed = Credential(b"", rp.id, algorithm, private_key, extensions=creation.kept)
        return state.sealer.seal(random, unsealed), []
    # Step 17: in the key's own memory, in the place of an older one for the same account.
    _check_room(state, request)
    credential = Credential(
        id=random.token_bytes(_CREDENTIAL_ID_BYTES),
        rp_id=rp.id,
        algorithm=algorithm,
        private_key=private_key,
        user=request.user,
        rp_name=rp.name,
        discoverable=True,
        extensions=creation.kept,
    )
    return credential, [Save(credential), *state.new_store_state()]


def _create(creation: Creation, algorithm: int, *, discoverable: bool, enterprise: bool) -> Response:
    state, request = creation.state, creation.request

    # Steps 16 to 18: the credential.
    credential, changes = _keep(creation, algorithm, discoverable=discoverable)

    # Step 19: the attestation statement.
    key = state.signing_key(credential)
    statement_format = choose_format(state.profile, request.attestation_formats, algorithm)
    enterprise |= Quirk.ALWAYS_ENTERPRISE_ATTESTATION in state.profile.quirks
    enterprise = enterprise and statement_format != NONE
    auth_data = authenticator_data(
        request.rp.id,
        USER_PRESENT | (USER_VERIFIED if creation.user_verified else 0),
        state.next_counter,
        attested_credential_data(attested_aaguid(state.profile, statement_format), credential, key),
        creation.outputs,
    )
    claim = Claim(credential, key, auth_data, request.client_data_hash)
    statement = attest(state.authority, state.profile, claim, statement_format, enterprise=enterprise)
    response: dict[int, CborValue] = {0x01: statement_format, 0x02: auth_data, 0x03: statement, **creation.response}
    if enterprise:
        response[0x04] = True
    # Post-quantum keys and signatures can outgrow what one message carries. Nothing is kept of what cannot be told.
    if len(auth_data) > _LARGE and len(cbor.encode(response)) >= MAX_MESSAGE_BYTES:
        raise CtapError(Status.REQUEST_TOO_LARGE)
    state.commit_counted(*changes)
    return response


def _check_room(state: State, request: MakeCredentialRequest) -> None:
    if state.store.count() < state.profile.limits.max_discoverable_credentials:
        return
    accounts = (credential.user for credential in state.store.credentials(request.rp.id) if credential.discoverable)
    if not any(user and user.id == request.user.id for user in accounts):
        raise CtapError(Status.KEY_STORE_FULL)
