"""Large blobs: the array that the key keeps for its hosts (CTAP 2.3 §6.10). An array in use is not touched."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from fido2.ctap2.base import Info
from fido2.ctap2.blob import LargeBlobs

from authrig.ports.host_random import random_bytes
from hil_tests.fido.host import ERR, LARGE_BLOBS, Host, P, refused

pytestmark = pytest.mark.hil("fido", caps=["CTAP2", "largeBlobs"])
WRITES = pytest.mark.hil("fido", caps=["PIN", "pinUvAuthToken"])

EMPTY = bytes.fromhex("8076be8b528d0075f7aae98d6fa57a6d3c")
GET, SET, OFFSET, LENGTH, PARAM, PROTOCOL = range(1, 7)


def _with_check(entries: bytes) -> bytes:
    return entries + hashlib.sha256(entries).digest()[:16]


def _read(host: Host) -> bytes:
    array = b""
    while fragment := host.ask(LARGE_BLOBS, {GET: 512, OFFSET: len(array)})[0x01]:
        array += fragment
    return array


class Writer:
    """Writes with one token: any other command between two fragments would end the writing (§6)."""

    def __init__(self, host: Host, permissions: P = P.LARGE_BLOB_WRITE) -> None:
        self._ctap2 = host.ctap2
        self._protocol = host.protocol()
        self._token = host.token(permissions)

    def write(self, fragment: bytes, offset: int, length: int | None, *, signed: bytes | None = None) -> None:
        """One fragment, with its proof, which may be made over something else."""
        message = b"\xff" * 32 + b"\x0c\x00" + offset.to_bytes(4, "little") + hashlib.sha256(fragment).digest()
        param = self._protocol.authenticate(self._token, signed or message)
        members = {SET: fragment, OFFSET: offset, LENGTH: length, PARAM: param, PROTOCOL: self._protocol.VERSION}
        self._ctap2.send_cbor(LARGE_BLOBS, {key: value for key, value in members.items() if value is not None})

    def write_all(self, array: bytes, step: int) -> None:
        """The array in fragments of ``step`` bytes."""
        for at in range(0, len(array), step):
            self.write(array[at : at + step], at, len(array) if at == 0 else None)


@pytest.fixture
def before(host: Host, may_be_erased: bool) -> Iterator[bytes]:  # noqa: FBT001 - a fixture's name
    """The array as it was; it is written back. One that somebody uses is left alone: a run may be interrupted."""
    array = _read(host)
    if array != EMPTY and not may_be_erased:
        pytest.skip("somebody's blobs are on the key, and nobody allows to erase it")
    yield array
    if _read(host) != array:
        Writer(host).write_all(array, 512)


@pytest.mark.clause("CTAP 2.3 §6.10.1")
def test_array_ends_with_its_check_value(host: Host) -> None:
    """The last 16 bytes are the start of the SHA-256 of what stands before them."""
    array = _read(host)
    assert len(array) >= 17
    assert _with_check(array[:-16]) == array


@pytest.mark.clause("CTAP 2.3 §6.10.2")
def test_reading_beyond_the_end(host: Host) -> None:
    """From the end on there is nothing, beyond the end it is INVALID_PARAMETER."""
    size = len(_read(host))
    assert host.ask(LARGE_BLOBS, {GET: 10, OFFSET: size})[0x01] == b""
    with refused(ERR.INVALID_PARAMETER):
        host.ask(LARGE_BLOBS, {GET: 10, OFFSET: size + 1})


@pytest.mark.clause("CTAP 2.3 §6.10.2")
def test_reading_too_much_at_once(host: Host, info: Info) -> None:
    """A fragment longer than maxMsgSize - 64 is INVALID_LENGTH."""
    with refused(ERR.INVALID_LENGTH):
        host.ask(LARGE_BLOBS, {GET: info.max_msg_size - 63, OFFSET: 0})


MALFORMED: dict[str, dict[int, Any]] = {
    "no offset": {GET: 10},
    "neither get nor set": {OFFSET: 0},
    "get and set": {GET: 10, SET: b"x", OFFSET: 0},
    "get with a length": {GET: 10, OFFSET: 0, LENGTH: 17},
    "set without a length": {SET: bytes(17), OFFSET: 0},
    "a length shorter than an empty array": {SET: bytes(16), OFFSET: 0, LENGTH: 16},
}


@pytest.mark.clause("CTAP 2.3 §6.10.2")
@pytest.mark.parametrize("case", MALFORMED)
def test_request_that_makes_no_sense_is_refused(host: Host, case: str) -> None:
    """INVALID_PARAMETER."""
    with refused(ERR.INVALID_PARAMETER):
        host.ask(LARGE_BLOBS, MALFORMED[case])


@WRITES
@pytest.mark.clause("CTAP 2.3 §6.10.2")
def test_no_proof_no_writing(host: Host) -> None:
    """A key with a PIN lets nobody write without: PUAT_REQUIRED."""
    with refused(ERR.PUAT_REQUIRED):
        host.ask(LARGE_BLOBS, {SET: _with_check(b"\x80"), OFFSET: 0, LENGTH: 17})


@WRITES
@pytest.mark.clause("CTAP 2.3 §6.10.2")
def test_wrong_proof_does_not_write(host: Host, before: bytes) -> None:
    """A pinUvAuthParam over something else is PIN_AUTH_INVALID, and the array stays."""
    with refused(ERR.PIN_AUTH_INVALID):
        Writer(host).write(_with_check(b"\x80"), 0, 17, signed=b"something else")
    assert _read(host) == before


@WRITES
@pytest.mark.clause("CTAP 2.3 §6.10.2")
def test_token_without_the_permission_is_refused(host: Host) -> None:
    """A token for credential management does not write blobs."""
    with refused(ERR.PIN_AUTH_INVALID, ERR.PUAT_REQUIRED):
        Writer(host, P.CREDENTIAL_MGMT).write(_with_check(b"\x80"), 0, 17)


@WRITES
@pytest.mark.clause("CTAP 2.3 §6.10.2")
def test_array_is_read_as_it_was_written(host: Host, before: bytes) -> None:
    """An array of one short fragment."""
    array = _with_check(b"\x81\x58\x40" + random_bytes(64))
    Writer(host).write_all(array, len(array))
    assert _read(host) == array


@WRITES
@pytest.mark.clause("CTAP 2.3 §6.10.2")
def test_array_of_several_fragments(host: Host, before: bytes) -> None:
    """It is there once the last fragment has come, and not before."""
    array = _with_check(b"\x81\x59\x02\x58" + random_bytes(600))
    Writer(host).write(array[:400], 0, len(array))
    assert _read(host) == before
    # Another command may have ended the writing, so it begins anew.
    Writer(host).write_all(array, 400)
    assert _read(host) == array


@WRITES
@pytest.mark.clause("CTAP 2.3 §6.10.2")
def test_gap_between_fragments_is_refused(host: Host, before: bytes) -> None:
    """A fragment that is not the next one is INVALID_SEQ."""
    array = _with_check(b"\x81\x59\x01\x00" + random_bytes(256))
    writer = Writer(host)
    writer.write(array[:100], 0, len(array))
    with refused(ERR.INVALID_SEQ):
        writer.write(array[120:], 120, None)
    assert _read(host) == before


@WRITES
@pytest.mark.clause("CTAP 2.3 §6.10.2")
def test_wrong_check_value_is_refused(host: Host, before: bytes) -> None:
    """An array whose end is not its check value is INTEGRITY_FAILURE, and the old one stays."""
    with refused(ERR.INTEGRITY_FAILURE):
        Writer(host).write(b"\x80" + bytes(16), 0, 17)
    assert _read(host) == before


@WRITES
@pytest.mark.clause("CTAP 2.3 §6.10.2")
def test_array_that_is_too_long_is_refused(host: Host, info: Info) -> None:
    """More than maxSerializedLargeBlobArray is LARGE_BLOB_STORAGE_FULL."""
    with refused(ERR.LARGE_BLOB_STORAGE_FULL):
        Writer(host).write(bytes(100), 0, (info.max_large_blob or 1024) + 1)


@WRITES
@pytest.mark.clause("CTAP 2.3 §6.10.2")
def test_longest_array_is_taken(host: Host, before: bytes, info: Info) -> None:
    """As many bytes as maxSerializedLargeBlobArray says."""
    size = info.max_large_blob or 1024
    body = size - 16 - 4
    array = _with_check(b"\x81\x59" + body.to_bytes(2) + random_bytes(body))
    Writer(host).write_all(array, min(info.max_msg_size - 64, 960))
    assert _read(host) == array


@WRITES
@pytest.mark.clause("CTAP 2.3 §6.10.3, §12.3")
@pytest.mark.hil("fido", caps=["largeBlobKey", "rk", "credMgmt"])
def test_blob_of_a_credential(host: Host, before: bytes) -> None:
    """The key of a credential encrypts a blob that its login decrypts, and a deleted blob is gone."""
    made = host.create({0x06: {"largeBlobKey": True}, 0x07: {"rk": True}})
    found = host.sign({0x04: {"largeBlobKey": True}})
    assert len(made[0x05]) == 32
    assert found[0x07] == made[0x05]
    blobs = LargeBlobs(host.ctap2, host.protocol(), host.token(P.LARGE_BLOB_WRITE))
    blobs.put_blob(found[0x07], b"a certificate, say")
    assert blobs.get_blob(found[0x07]) == b"a certificate, say"
    blobs.delete_blob(found[0x07])
    assert blobs.get_blob(found[0x07]) is None
