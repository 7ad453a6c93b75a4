"""Messages: what a key says to bytes that are no request (CTAP 2.3 §8)."""

import pytest
from fido2 import cbor

from hil_tests.fido.host import Host, assertion

pytestmark = pytest.mark.hil("fido", caps=["CTAP2"])

GET_ASSERTION = 0x02
INVALID_LENGTH, UNEXPECTED_TYPE, INVALID_CBOR, MISSING_PARAMETER, OTHER = 0x03, 0x11, 0x12, 0x14, 0x7F
REFUSALS = (INVALID_LENGTH, UNEXPECTED_TYPE, INVALID_CBOR, MISSING_PARAMETER, OTHER)

MALFORMED: dict[str, bytes] = {
    "nothing behind the command": b"",
    "half a map": bytes.fromhex("a201"),
    "a text that is cut off": bytes.fromhex("a1017820" + "61" * 5),
    "a list": bytes.fromhex("8101"),
    "a number": bytes.fromhex("01"),
    "an indefinite length": bytes.fromhex("bf0161610258200000ff"),
    "a reserved additional information": bytes.fromhex("a101fc"),
    "nothing but a break": bytes.fromhex("ff"),
    "nine hundred nested lists": bytes.fromhex("a103") + b"\x81" * 900 + b"\x01",
}


@pytest.mark.clause("CTAP 2.3 §8")
@pytest.mark.parametrize("case", MALFORMED)
def test_bytes_that_are_no_request_are_refused(host: Host, case: str) -> None:
    """Each gets an error code of its kind, no answer, and the key works on."""
    status, body = host.ask_raw(bytes((GET_ASSERTION,)) + MALFORMED[case])
    assert status in REFUSALS
    assert body == b""
    assert host.ask(0x04)[0x01]


UNCANONICAL: dict[str, bytes] = {
    "keys out of order": bytes.fromhex("a2025820" + "00" * 32 + "0161" + "61"),
    "a key twice": bytes.fromhex("a301616101616202" + "5820" + "00" * 32),
    "a number longer than it need be": bytes.fromhex("a2180161" + "61" + "025820" + "00" * 32),
    "a length longer than it need be": bytes.fromhex("a201780161" + "025820" + "00" * 32),
    "bytes behind the end": cbor.encode(assertion()) + b"\x00",
}


@pytest.mark.clause("CTAP 2.3 §8")
@pytest.mark.hil("fido", caps=["FIDO_2_3"])
@pytest.mark.parametrize("case", UNCANONICAL)
def test_encoding_that_is_not_canonical_is_refused(host: Host, case: str) -> None:
    """A request that is not CTAP2 canonical CBOR is INVALID_CBOR, as §8 allows the key to answer, or INVALID_LENGTH."""
    status, _ = host.ask_raw(bytes((GET_ASSERTION,)) + UNCANONICAL[case])
    assert status in (INVALID_CBOR, INVALID_LENGTH)


@pytest.mark.clause("CTAP 2.3 §6.4")
def test_message_of_the_largest_size_is_taken(host: Host) -> None:
    """A request of maxMsgSize bytes is read: an unknown member fills it up."""
    size = host.info.max_msg_size
    members = {**assertion(), 0x3F: b""}
    room = size - 1 - len(cbor.encode(members)) - 2
    members[0x3F] = bytes(room)
    request = bytes((GET_ASSERTION,)) + cbor.encode(members)
    assert len(request) == size
    assert host.ask_raw(request)[0] == 0x2E  # NO_CREDENTIALS


@pytest.mark.clause("CTAP 2.3 §6.4")
def test_get_info_with_something_behind_it(host: Host) -> None:
    """A getInfo with parameters is answered or refused, and the key works on."""
    status, _ = host.ask_raw(bytes.fromhex("04a0"))
    assert status in (0, INVALID_LENGTH, INVALID_CBOR)
    assert host.ask(0x04)[0x01]
