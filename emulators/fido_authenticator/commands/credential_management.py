"""authenticatorCredentialManagement, CTAP 2.3 §6.8, and its preview, which libfido2 up to 1.12 speaks."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final, TypeVar

from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.algorithms import ALGORITHMS
from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.messages import (
    PUBLIC_KEY,
    Members,
    PinUvAuth,
    UserEntity,
    as_map,
    members,
    optional,
    required,
    required_member,
)
from emulators.fido_authenticator.pin_uv_auth import Permission, Token
from emulators.fido_authenticator.state import Response, State, Steps, Walk
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.store import Delete, Save

CREDENTIAL_MANAGEMENT: Final = 0x0A
CREDENTIAL_MANAGEMENT_PREVIEW: Final = 0x41


@dataclass(frozen=True, slots=True)
class CredentialManagementRequest:
    """A subcommand, its parameters (None: absent) and the proof that the user was verified."""

    subcommand: int
    parameters: Members | None
    pin_uv_auth: PinUvAuth

    @classmethod
    def from_cbor(cls, parameters: bytes) -> "CredentialManagementRequest":
        """Read the request strictly."""
        values = members(parameters)
        return cls(
            subcommand=required(values, 0x01, int),
            parameters=as_map(values[0x02]) if 0x02 in values else None,
            pin_uv_auth=PinUvAuth(optional(values, 0x04, bytes), optional(values, 0x03, int)),
        )

    @property
    def signed(self) -> bytes:
        """What the proof is made over: the subcommand and, as they were sent, the parameters."""
        # There is one canonical encoding of each value, so encoding it anew gives the bytes that were sent.
        return bytes((self.subcommand,)) + (b"" if self.parameters is None else cbor.encode(self.parameters))

    def parameter(self, key: int) -> CborValue:
        """One member of the parameters.

        Raises:
            CtapError: MISSING_PARAMETER.
        """
        return required_member(self.parameters or {}, key)


@dataclass(slots=True)
class RelyingPartyWalk(Walk):
    """The relying parties still to show, the next one last. It ends with the token that began it (§6)."""

    token: Token
    rest: list[str]


@dataclass(slots=True)
class CredentialWalk(Walk):
    """The credentials of one relying party still to show, the next one last. It ends with the token that began it."""

    token: Token
    rest: list[Credential] = field(repr=False)


_W = TypeVar("_W", RelyingPartyWalk, CredentialWalk)


@dataclass(frozen=True, slots=True)
class _Call:
    """A subcommand under way. ``command`` is the byte that its follow-ups must come with."""

    state: State
    request: CredentialManagementRequest
    command: int

    def token(self, *, read_only: bool = False) -> Token:
        """The token behind the proof, which must allow credential management, or ``read_only`` listing."""
        return self.state.pin_uv.verify_token(
            self.request.pin_uv_auth, self.request.signed, Permission.CM, read_only=read_only
        )


def credential_management(state: State, request: CredentialManagementRequest) -> Steps:
    """Count, list, delete and update the discoverable credentials."""
    yield from ()
    return _run(_Call(state, request, CREDENTIAL_MANAGEMENT))


def credential_management_preview(state: State, request: CredentialManagementRequest) -> Steps:
    """The same by the number that it had before CTAP 2.1.

    Updates came with 2.1, but libfido2 1.12 asks for them here.
    """
    yield from ()
    return _run(_Call(state, request, CREDENTIAL_MANAGEMENT_PREVIEW))


def _run(call: _Call) -> Response:
    subcommand = call.request.subcommand
    if subcommand not in _SUBCOMMANDS:
        raise CtapError(Status.INVALID_SUBCOMMAND)
    if subcommand not in _FOLLOW_UPS:
        call.state.walk = None
        # What needs a proof asks for it before it looks at anything else.
        if call.request.pin_uv_auth.param is None:
            raise CtapError(Status.PUAT_REQUIRED)
    return _SUBCOMMANDS[subcommand](call)


def _get_creds_metadata(call: _Call) -> Response:
    """§6.8.2: how many there are, and how many more could be."""
    state = call.state
    call.token(read_only=True).check_rp_id(None)
    count = state.store.count()
    return {0x01: count, 0x02: max(0, state.profile.limits.max_discoverable_credentials - count)}


def _enumerate_rps_begin(call: _Call) -> Response:
    """§6.8.3: the first relying party, and how many there are."""
    state = call.state
    token = call.token(read_only=True)
    token.check_rp_id(None)
    rp_ids = state.store.rp_ids(discoverable=True)
    if not rp_ids:
        raise CtapError(Status.NO_CREDENTIALS)
    state.walk = RelyingPartyWalk(call.command, state.channel, state.stateful_deadline(), token, list(rp_ids[::-1]))
    return {**_next_rp(state, state.walk), 0x05: len(rp_ids)}


def _enumerate_rps_get_next_rp(call: _Call) -> Response:
    """§6.8.3: the next one."""
    return _next_rp(call.state, _resumed(call, RelyingPartyWalk))


def _next_rp(state: State, walk: RelyingPartyWalk) -> dict[int, CborValue]:
    rp_id = walk.rest.pop()
    names = (credential.rp_name for credential in state.store.credentials(rp_id) if credential.discoverable)
    name = next((name for name in names if name is not None), None)
    rp = {"id": rp_id} if name is None else {"id": rp_id, "name": name}
    return {0x03: rp, 0x04: sha256(rp_id.encode()).digest()}


def _enumerate_credentials_begin(call: _Call) -> Response:
    """§6.8.4: the first credential of a relying party, and how many there are."""
    state = call.state
    rp_id_hash = call.request.parameter(0x01)
    if type(rp_id_hash) is not bytes:
        raise CtapError(Status.CBOR_UNEXPECTED_TYPE)
    token = call.token(read_only=True)
    rp_id = state.store.rp_id(rp_id_hash)
    if token.rp_id is not None and rp_id_hash != sha256(token.rp_id.encode()).digest():
        raise CtapError(Status.PIN_AUTH_INVALID)
    found = [] if rp_id is None else [found for found in state.store.credentials(rp_id) if found.discoverable]
    if not found:
        raise CtapError(Status.NO_CREDENTIALS)
    state.walk = CredentialWalk(call.command, state.channel, state.stateful_deadline(), token, found[::-1])
    return {**_next_credential(state, state.walk), 0x09: len(found)}


def _enumerate_credentials_get_next_credential(call: _Call) -> Response:
    """§6.8.4: the next one."""
    return _next_credential(call.state, _resumed(call, CredentialWalk))


def _resumed(call: _Call, kind: type[_W]) -> _W:
    """The listing of this kind that goes on; any other one ends."""
    walk = call.state.walk
    if not isinstance(walk, kind) or not walk.rest or walk.token.expired:
        call.state.walk = None
        raise CtapError(Status.NOT_ALLOWED)
    return call.state.current_walk(kind)


def _next_credential(state: State, walk: CredentialWalk) -> dict[int, CborValue]:
    credential = walk.rest.pop()
    assert credential.user is not None, "a discoverable credential has a user"
    response: dict[int, CborValue] = {
        0x06: credential.user.to_cbor(names=True),
        0x07: {"id": credential.id, "type": PUBLIC_KEY},
    }
    # One of an algorithm that only a newer Authrig knows can still be seen and deleted.
    if credential.algorithm in ALGORITHMS:
        response[0x08] = state.signing_key(credential).public_key()
    for extension in state.extensions:
        extension.add_managed(credential, response)
    return response


def _delete_credential(call: _Call) -> Response:
    """§6.8.5: one credential less. Its large blob stays: it is the host's to collect."""
    credential_id = _credential_id(call)
    credential = _managed(call, credential_id)
    call.state.store.commit(Delete(credential.id), *call.state.new_store_state())
    return {}


def _update_user_information(call: _Call) -> Response:
    """§6.8.6: other names for the same user; a name that is absent or empty is forgotten."""
    credential_id = _credential_id(call)
    user = UserEntity.from_cbor(call.request.parameter(0x03))
    credential = _managed(call, credential_id)
    if credential.user is None or credential.user.id != user.id:
        raise CtapError(Status.INVALID_PARAMETER)
    user = UserEntity(user.id, user.name or None, user.display_name or None)
    call.state.store.commit(Save(replace(credential, user=user)), *call.state.new_store_state())
    return {}


def _credential_id(call: _Call) -> bytes:
    descriptor = as_map(call.request.parameter(0x02))
    credential_id = required(descriptor, "id", bytes)
    # Of a type that this key cannot have made, there is none.
    return credential_id if required(descriptor, "type", str) == PUBLIC_KEY else b""


def _managed(call: _Call, credential_id: bytes) -> Credential:
    """The discoverable credential that the proof's token may change."""
    token = call.token()
    credential = call.state.store.credential(credential_id)
    if credential is None or not credential.discoverable:
        raise CtapError(Status.NO_CREDENTIALS)
    token.check_rp_id(credential.rp_id)
    return credential


_SUBCOMMANDS: dict[int, Callable[[_Call], Response]] = {
    0x01: _get_creds_metadata,
    0x02: _enumerate_rps_begin,
    0x03: _enumerate_rps_get_next_rp,
    0x04: _enumerate_credentials_begin,
    0x05: _enumerate_credentials_get_next_credential,
    0x06: _delete_credential,
    0x07: _update_user_information,
}
_FOLLOW_UPS = (0x03, 0x05)
