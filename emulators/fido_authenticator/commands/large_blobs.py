"""authenticatorLargeBlobs, CTAP 2.3 §6.10: one array of bytes that the key keeps for the hosts, in fragments."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from emulators.fido_authenticator.messages import PinUvAuth, members, optional
from emulators.fido_authenticator.pin_uv_auth import Permission
from emulators.fido_authenticator.state import Response, State, Steps, Walk
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.store import Put

LARGE_BLOBS: Final = 0x0C
RECORD: Final = "large_blobs"
"""The record in which the array is kept, its check value included."""

EMPTY: Final = bytes.fromhex("8076be8b528d0075f7aae98d6fa57a6d3c")
"""The array of a key that is new or has been reset: no entries, and the check value (§6.10.1)."""

_CHECK_BYTES = 16
_FRAGMENT_MARGIN = 64
_ALWAYS_ALLOWED = 1024


@dataclass(frozen=True, slots=True)
class LargeBlobsRequest:
    """The parameters; exactly one of ``get`` and ``set`` makes sense."""

    get: int | None
    set: bytes | None
    offset: int | None
    length: int | None
    pin_uv_auth: PinUvAuth

    @classmethod
    def from_cbor(cls, parameters: bytes) -> "LargeBlobsRequest":
        """Read the request strictly."""
        values = members(parameters)
        request = cls(
            get=optional(values, 0x01, int),
            set=optional(values, 0x02, bytes),
            offset=optional(values, 0x03, int),
            length=optional(values, 0x04, int),
            pin_uv_auth=PinUvAuth(optional(values, 0x05, bytes), optional(values, 0x06, int)),
        )
        if any(number is not None and number < 0 for number in (request.get, request.offset, request.length)):
            raise CtapError(Status.CBOR_UNEXPECTED_TYPE)  # these members are unsigned
        return request


@dataclass(slots=True)
class WriteWalk(Walk):
    """An array on its way: how long it will be (expectedLength), and what has come (up to expectedNextOffset)."""

    length: int
    received: bytearray = field(repr=False)


def large_blobs(state: State, request: LargeBlobsRequest) -> Steps:
    """Read a fragment of the array, or take one of a new array, which replaces the old one when it is complete."""
    yield from ()
    # Steps 1 to 3: from where, and either reading or writing.
    if request.offset is None or (request.get is None) == (request.set is None):
        raise CtapError(Status.INVALID_PARAMETER)
    if request.get is not None:
        return _get(state, request, request.get, request.offset)
    assert request.set is not None
    return _set(state, request, request.set, request.offset)


def _get(state: State, request: LargeBlobsRequest, count: int, offset: int) -> Response:
    # Step 4: nobody needs to be verified, for the entries are encrypted.
    auth = request.pin_uv_auth
    if request.length is not None or auth.param is not None or auth.protocol is not None:
        raise CtapError(Status.INVALID_PARAMETER)
    if count > _max_fragment(state):
        raise CtapError(Status.INVALID_LENGTH)
    array = state.store.get(RECORD) or EMPTY
    if offset > len(array):
        raise CtapError(Status.INVALID_PARAMETER)
    return {0x01: array[offset : offset + count]}


def _set(state: State, request: LargeBlobsRequest, fragment: bytes, offset: int) -> Response:
    # Step 5.1.
    if len(fragment) > _max_fragment(state):
        raise CtapError(Status.INVALID_LENGTH)
    # Steps 5.2 to 5.4: the first fragment says how long the array will be, the others follow without a gap.
    walk = _begun(state, request.length) if offset == 0 else _continued(state, request.length)
    if offset != len(walk.received):
        raise CtapError(Status.INVALID_SEQ)
    # Step 5.5: where users can be or must be verified, each fragment is signed with a token that allows writing.
    if state.protected or state.settings.always_uv:
        message = b"\xff" * 32 + bytes((LARGE_BLOBS, 0)) + offset.to_bytes(4, "little") + sha256(fragment).digest()
        state.pin_uv.verify_token(request.pin_uv_auth, message, Permission.LBW)
    # Step 5.6.
    if offset + len(fragment) > walk.length:
        raise CtapError(Status.INVALID_PARAMETER)
    # Steps 5.7 to 5.9: only an accepted fragment begins a new array.
    state.walk = walk
    walk.received += fragment
    walk.expires = state.stateful_deadline()
    if len(walk.received) == walk.length:
        # Step 5.10: the new array takes the old one's place, whole or not at all.
        state.walk = None
        array = bytes(walk.received)
        if sha256(array[:-_CHECK_BYTES]).digest()[:_CHECK_BYTES] != array[-_CHECK_BYTES:]:
            raise CtapError(Status.INTEGRITY_FAILURE)
        state.store.commit(Put(RECORD, array))
    return {}


def _begun(state: State, length: int | None) -> WriteWalk:
    if length is None:
        raise CtapError(Status.INVALID_PARAMETER)
    if length > max(_ALWAYS_ALLOWED, state.profile.limits.max_serialized_large_blob_array):
        raise CtapError(Status.LARGE_BLOB_STORAGE_FULL)
    if length < len(EMPTY):
        raise CtapError(Status.INVALID_PARAMETER)
    return WriteWalk(LARGE_BLOBS, state.channel, state.stateful_deadline(), length, bytearray())


def _continued(state: State, length: int | None) -> WriteWalk:
    if length is not None:
        raise CtapError(Status.INVALID_PARAMETER)
    if not isinstance(state.walk, WriteWalk):
        raise CtapError(Status.INVALID_SEQ)
    return state.walk


def _max_fragment(state: State) -> int:
    return state.profile.limits.max_msg_size - _FRAGMENT_MARGIN
