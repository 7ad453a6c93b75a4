from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from fido2.ctap import CtapError
from fido2.ctap2.pin import PinProtocol, PinProtocolV1, PinProtocolV2
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.env import Env
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.commands.large_blobs import EMPTY
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.store import dump
from tests.emulators.fido_authenticator.ctap_requests import GET_INFO, RESET, call
from tests.emulators.fido_authenticator.pin_host import PERMISSION, PinHost

LARGE_BLOBS = 0x0C
SMALL = {"max_msg_size": 1024}
FRAGMENT = 1024 - 64


def _checked(data: bytes) -> bytes:
    return data + sha256(data).digest()[:16]


def _set(
    authenticator: Authenticator, data: bytes, offset: int, length: int | None = None, **more: Any
) -> tuple[Status, Any]:
    request = {2: data, 3: offset, **({4: length} if length is not None else {}), **more.get("changes", {})}
    return call(
        authenticator,
        LARGE_BLOBS,
        {key: value for key, value in request.items() if value is not None},
        more.get("channel", 0),
    )


def _read(authenticator: Authenticator) -> bytes:
    """The first fragment of the array, as small as every key can give it."""
    array: bytes = call(authenticator, LARGE_BLOBS, {1: FRAGMENT, 3: 0})[1][1]
    return array


def _proof(host: PinHost, token: bytes, data: bytes, offset: int) -> dict[int, Any]:
    message = b"\xff" * 32 + b"\x0c\x00" + offset.to_bytes(4, "little") + sha256(data).digest()
    return {5: host.protocol.authenticate(token, message), 6: host.protocol.VERSION}


@pytest.mark.parametrize("protocol", [PinProtocolV1(), PinProtocolV2()], ids=["one", "two"])
@pytest.mark.parametrize("limits", [{}, SMALL], ids=["one fragment", "many fragments"])
def test_a_host_writes_reads_and_deletes_blobs(protocol: PinProtocol, limits: dict[str, int]) -> None:
    """python-fido2 keeps two blobs under two keys, and each is what it was, also after the plug was pulled."""
    host = PinHost(protocol, limits=limits)
    blobs = host.blobs()
    assert blobs.read_blob_array() == []
    one, two = bytes(32), bytes(range(32))
    texts = [b"".join(sha256(bytes([letter, number])).digest() for number in range(40)) for letter in (0, 1)]
    blobs.put_blob(one, texts[0])
    blobs.put_blob(two, texts[1])
    host.authenticator.power_up()
    assert [blobs.get_blob(key) for key in (one, two)] == texts
    blobs = host.blobs()
    blobs.delete_blob(one)
    assert [blobs.get_blob(key) for key in (one, two)] == [None, texts[1]]
    host.ctap.reset()
    assert _read(host.authenticator) == EMPTY


def test_a_new_key_holds_the_array_that_the_specification_gives() -> None:
    """An empty array and its check value, and room for what getInfo promises."""
    authenticator = Authenticator(Env.simulated(1))
    assert _checked(b"\x80") == EMPTY == _read(authenticator)
    room = call(authenticator, GET_INFO)[1][0x0B]
    array = _checked(bytes(room - 16))
    assert _set(authenticator, array, 0, room) == (Status.SUCCESS, {})
    assert _read(authenticator) == array[:FRAGMENT]
    assert _set(authenticator, _checked(bytes(room - 15)), 0, room + 1)[0] is Status.LARGE_BLOB_STORAGE_FULL
    assert _read(authenticator) == array[:FRAGMENT]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({1: 10}, Status.INVALID_PARAMETER),
        ({3: 0}, Status.INVALID_PARAMETER),
        ({1: 10, 2: b"x", 3: 0}, Status.INVALID_PARAMETER),
        ({1: 10, 3: 0, 4: 17}, Status.INVALID_PARAMETER),
        ({1: 10, 3: 0, 5: bytes(32)}, Status.INVALID_PARAMETER),
        ({1: 10, 3: 0, 6: 2}, Status.INVALID_PARAMETER),
        ({1: FRAGMENT + 1, 3: 0}, Status.INVALID_LENGTH),
        ({1: 10, 3: 18}, Status.INVALID_PARAMETER),
        ({1: -1, 3: 0}, Status.CBOR_UNEXPECTED_TYPE),
        ({1: 1, 3: -1}, Status.CBOR_UNEXPECTED_TYPE),
        ({1: b"", 3: 0}, Status.CBOR_UNEXPECTED_TYPE),
        ({2: "", 3: 0, 4: 17}, Status.CBOR_UNEXPECTED_TYPE),
        ({2: bytes(FRAGMENT + 1), 3: 0, 4: 2000}, Status.INVALID_LENGTH),
        ({2: b"x", 3: 0}, Status.INVALID_PARAMETER),
        ({2: b"x", 3: 0, 4: 16}, Status.INVALID_PARAMETER),
        ({2: b"x", 3: 0, 4: 4097}, Status.LARGE_BLOB_STORAGE_FULL),
        ({2: b"x", 3: 1, 4: 17}, Status.INVALID_PARAMETER),
        ({2: b"x", 3: 1}, Status.INVALID_SEQ),
        ({2: bytes(18), 3: 0, 4: 17}, Status.INVALID_PARAMETER),
        ({2: bytes(17), 3: 0, 4: 17}, Status.INTEGRITY_FAILURE),
    ],
)
def test_each_wrong_request_has_its_own_status(parameters: dict[int, Any], expected: Status) -> None:
    """Nothing is kept of it."""
    host = PinHost(limits=SMALL)
    host.ctap.reset()
    before = dump(host.authenticator.store)
    assert call(host.authenticator, LARGE_BLOBS, parameters) == (expected, {})
    assert dump(host.authenticator.store) == before


def test_reading_past_the_end_is_empty_and_stops_there() -> None:
    """The end itself is a place to read from; a fragment is cut at it."""
    authenticator = Authenticator(Env.simulated(1))
    assert call(authenticator, LARGE_BLOBS, {1: 5, 3: 17}) == (Status.SUCCESS, {1: b""})
    assert call(authenticator, LARGE_BLOBS, {1: 5, 3: 15}) == (Status.SUCCESS, {1: EMPTY[15:]})
    assert call(authenticator, LARGE_BLOBS, {1: 0, 3: 0}) == (Status.SUCCESS, {1: b""})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({5: None}, Status.PUAT_REQUIRED),
        ({6: None}, Status.MISSING_PARAMETER),
        ({6: 3}, Status.INVALID_PARAMETER),
        ({5: bytes(32)}, Status.PIN_AUTH_INVALID),
        ({2: _checked(b"\x81\x01")}, Status.PIN_AUTH_INVALID),
    ],
)
def test_where_users_are_verified_every_fragment_is_signed(changes: dict[int, Any], expected: Status) -> None:
    """Without a proof, with half of one, or with one for other bytes, the old array stays."""
    host = PinHost()
    array = _checked(b"\x81\x02")
    proof = _proof(host, host.token(PERMISSION.LARGE_BLOB_WRITE), array, 0)
    assert _set(host.authenticator, array, 0, len(array), changes=proof | changes) == (expected, {})
    assert _read(host.authenticator) == EMPTY
    assert _set(host.authenticator, array, 0, len(array), changes=proof)[0] is Status.SUCCESS
    assert _read(host.authenticator) == array


def test_where_users_must_be_verified_nobody_writes_before_there_is_a_pin() -> None:
    """A key with alwaysUv and no PIN yet takes no blobs."""
    profile = profiles.load()
    always = msgspec.structs.replace(profile, options={**profile.options, "alwaysUv": True})
    authenticator, array = Authenticator(Env.simulated(1), always), _checked(b"\x80")
    assert _set(authenticator, array, 0, len(array))[0] is Status.PUAT_REQUIRED


def test_writing_needs_its_own_permission() -> None:
    """A token that manages credentials writes no blobs."""
    host = PinHost()
    with pytest.raises(CtapError) as caught:
        host.blobs(PERMISSION.CREDENTIAL_MGMT).put_blob(bytes(32), b"data")
    assert caught.value.code == CtapError.ERR.PIN_AUTH_INVALID


def test_a_signed_fragment_fits_one_place_only() -> None:
    """The proof covers the offset, so that nobody shuffles fragments."""
    host = PinHost()
    array = _checked(bytes(32))
    token = host.token(PERMISSION.LARGE_BLOB_WRITE)
    first, second = array[:24], array[24:]
    assert _set(host.authenticator, first, 0, 48, changes=_proof(host, token, first, 0))[0] is Status.SUCCESS
    misplaced = _proof(host, token, second, 0)
    assert _set(host.authenticator, second, 24, changes=misplaced)[0] is Status.PIN_AUTH_INVALID
    assert _set(host.authenticator, second, 24, changes=_proof(host, token, second, 24))[0] is Status.SUCCESS
    assert _read(host.authenticator) == array


@pytest.mark.parametrize(
    "interrupt",
    [
        lambda host: host.authenticator.power_up(),
        lambda host: call(host.authenticator, GET_INFO),
        lambda host: call(host.authenticator, RESET),
        lambda host: host.clock.advance(30.1),
        lambda host: _set(host.authenticator, b"", 0, 40, channel=9),
    ],
)
def test_an_interrupted_array_leaves_the_old_one(interrupt: Callable[[PinHost], object]) -> None:
    """It is never seen in part, and the rest that comes too late is out of sequence."""
    host = PinHost()
    host.ctap.reset()
    new = _checked(bytes(40))
    assert _set(host.authenticator, new[:30], 0, len(new))[0] is Status.SUCCESS
    interrupt(host)
    assert _set(host.authenticator, new[30:], 30)[0] is Status.INVALID_SEQ
    assert _read(host.authenticator) == EMPTY


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.data())
def test_fragments_of_any_size_make_the_array(content: bytes, data: st.DataObject) -> None:
    """One after another they are put together; one that leaves a gap or goes back is refused and changes nothing."""
    authenticator, array, at = Authenticator(Env.simulated(1)), _checked(b"\x80" + content), 0
    while at < len(array):
        wrong = data.draw(st.integers(1, 400))
        if wrong != at:
            assert _set(authenticator, b"x", wrong)[0] is Status.INVALID_SEQ
        size = data.draw(st.integers(1, len(array) - at))
        fragment = array[at : at + size]
        assert _set(authenticator, fragment, at, None if at else len(array))[0] is Status.SUCCESS
        at += size
    assert _read(authenticator) == array
