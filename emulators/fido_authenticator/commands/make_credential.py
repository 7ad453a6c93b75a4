"""authenticatorMakeCredential, CTAP 2.3 §6.1.2."""

from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.attestation import (
    USER_PRESENT,
    USER_VERIFIED,
    Claim,
    attest,
    attested_aaguid,
    attested_credential_data,
    authenticator_data,
    choose_format,
)
from emulators.fido_authenticator.commands.authorization import check_list_length, verify_user
from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.extensions.extension import Creation
from emulators.fido_authenticator.messages import MakeCredentialRequest
from emulators.fido_authenticator.profile import MAX_MESSAGE_BYTES
from emulators.fido_authenticator.state import Response, State, Steps, ask_presence
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.store import Save
from emulators.fido_authenticator.user import Prompt

_CREDENTIAL_ID_BYTES = 32
_LARGE = 2500
"""Only with authenticator data of more bytes than this a response may be too long."""


def make_credential(state: State, request: MakeCredentialRequest) -> Steps:
    """Make a key pair for a relying party and attest it."""
    # Steps 1, 2 and 11: user verification, by PIN or built in.
    user_verified = yield from verify_user(request.pin_uv_auth, request.options)

    # Step 3: the first algorithm of the host's list that this key has.
    algorithm = next((cose for cose in request.algorithms if cose in state.profile.all_algorithms), None)
    if algorithm is None:
        raise CtapError(Status.UNSUPPORTED_ALGORITHM)

    # Step 5: options. A credential is never made without a touch.
    if request.options.get("up") is False:
        raise CtapError(Status.INVALID_OPTION)
    discoverable = request.options.get("rk", False)
    if discoverable and not state.profile.options.get("rk", False):
        raise CtapError(Status.UNSUPPORTED_OPTION)

    # Step 9: enterprise attestation, of which this key is not capable.
    if request.enterprise_attestation is not None:
        raise CtapError(Status.INVALID_PARAMETER)

    # Step 12: the exclude list. The touch keeps a host from learning silently which credentials are here.
    if _excluded(state, request, user_verified=user_verified):
        yield from ask_presence(Prompt.EXCLUDED, request.rp.id, request.user.name or "")
        raise CtapError(Status.CREDENTIAL_EXCLUDED)

    # Steps 13 and 14: user presence.
    yield from ask_presence(Prompt.REGISTER, request.rp.id, request.user.name or "")

    # Step 15: extensions.
    creation = Creation(state, request, user_verified)
    for extension in state.extensions:
        extension.make_credential(creation, request.extensions.get(extension.identifier))

    return _create(creation, algorithm, discoverable=discoverable)


def _excluded(state: State, request: MakeCredentialRequest, *, user_verified: bool) -> bool:
    exclude_list = request.exclude_list or ()
    check_list_length(state, exclude_list)
    found = (state.find(request.rp.id, credential_id) for credential_id in exclude_list)
    return any(
        not state.hidden(credential, listed=True, user_verified=user_verified) for credential in found if credential
    )


def _create(creation: Creation, algorithm: int, *, discoverable: bool) -> Response:
    state, request = creation.state, creation.request
    rp = request.rp

    # Step 16: a key pair.
    random = state.env.random
    private_key = state.make_private_key(algorithm)
    if discoverable:
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
        changes = [Save(credential)]
    else:
        # Step 18: in its own id.
        unsealed = Credential(b"", rp.id, algorithm, private_key, extensions=creation.kept)
        credential = state.sealer.seal(random, unsealed)
        changes = []

    # Step 19: the attestation statement.
    key = state.signing_key(credential)
    statement_format = choose_format(state.profile, request.attestation_formats, algorithm)
    auth_data = authenticator_data(
        rp.id,
        USER_PRESENT | (USER_VERIFIED if creation.user_verified else 0),
        state.next_counter,
        attested_credential_data(attested_aaguid(state.profile, statement_format), credential, key),
        creation.outputs,
    )
    claim = Claim(credential, key, auth_data, request.client_data_hash)
    statement = attest(state.authority, state.profile, claim, statement_format)
    response = {0x01: statement_format, 0x02: auth_data, 0x03: statement, **creation.response}
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
