from fido2 import cbor
from hypothesis import given
from hypothesis import strategies as st

from authrig.evidence.ctap_lines import CtapTranscript
from emulators.fido_authenticator.ctaphid import Direction

DIRECTIONS: list[Direction] = ["to_key", "to_host"]
CHANNEL = b"\x00\x00\x00\x01"


def _reports(command: int, payload: bytes) -> list[bytes]:
    """``payload`` as CTAPHID reports (CTAP 2.3 §11.2.4)."""
    first = CHANNEL + bytes([0x80 | command]) + len(payload).to_bytes(2) + payload[:57]
    rest = [
        CHANNEL + bytes([number]) + payload[57 + 59 * number : 57 + 59 * (number + 1)]
        for number in range((max(0, len(payload) - 57) + 58) // 59)
    ]
    return [report.ljust(64, b"\0") for report in [first, *rest]]


def _lines(*messages: tuple[Direction, int, bytes]) -> list[str]:
    transcript = CtapTranscript()
    for direction, command, payload in messages:
        for report in _reports(command, payload):
            transcript.add(direction, report)
    return transcript.take_lines()


def test_a_command_and_its_answer_are_named_and_taken_apart() -> None:
    """Keys of the maps have the specification's names, also when a message spans several reports."""
    request = bytes([2]) + cbor.encode({1: "example.org", 2: bytes(32), 3: [{"id": bytes(64), "type": "public-key"}]})
    lines = _lines(
        ("to_key", 0x10, request), ("to_host", 0x3B, b"\x02"), ("to_host", 0x3B, b"\x02"), ("to_host", 0x10, b"\x2e")
    )
    assert lines[0] == "host → key  authenticatorGetAssertion"
    assert lines[1] == "    rpId: 'example.org'"
    assert lines[2] == f"    clientDataHash: {'00' * 32}"
    assert lines[3] == f"    allowList: [{{id: {'00' * 12}…{'00' * 4} (64 bytes), type: 'public-key'}}]"
    assert lines[4:] == ["key → host  KEEPALIVE UPNEEDED", "key → host  NO_CREDENTIALS"]


def test_authenticator_data_shows_its_flags_and_counter() -> None:
    """What a tester looks for first is there in words."""
    answer = bytes([0]) + cbor.encode({2: bytes(32) + b"\x05" + (7).to_bytes(4)})
    lines = _lines(("to_key", 0x10, bytes([2])), ("to_host", 0x10, answer))
    assert lines[-1].endswith("flags UP|UV, counter 7")


@given(st.lists(st.tuples(st.sampled_from(DIRECTIONS), st.binary(min_size=64, max_size=64)), max_size=6))
def test_any_report_can_be_shown(reports: list[tuple[Direction, bytes]]) -> None:
    """A transcript takes whatever was on the wire: it shows, it does not judge."""
    transcript = CtapTranscript()
    for direction, report in reports:
        transcript.add(direction, report)
    assert all(isinstance(line, str) for line in transcript.take_lines())
