"""Command APDUs, short and extended (ISO 7816-3 §12.1), and the status words that answer them."""

from dataclasses import dataclass
from enum import IntEnum

_SHORT_MAX, _EXTENDED_MAX = 1 << 8, 1 << 16


class StatusWord(IntEnum):
    """The two bytes that end every answer (ISO 7816-4 §5.6; U2F and CTAP give some a meaning of their own)."""

    NO_ERROR = 0x9000
    KEEPALIVE = 0x9100
    BYTES_REMAINING = 0x6100
    WRONG_LENGTH = 0x6700
    CHAINING_NOT_SUPPORTED = 0x6884
    CONDITIONS_NOT_SATISFIED = 0x6985
    COMMAND_NOT_ALLOWED = 0x6986
    WRONG_DATA = 0x6A80
    FILE_NOT_FOUND = 0x6A82
    WRONG_P1_P2 = 0x6A86
    INS_NOT_SUPPORTED = 0x6D00
    CLA_NOT_SUPPORTED = 0x6E00
    UNKNOWN = 0x6F00

    @property
    def bytes(self) -> bytes:
        """As sent."""
        return self.to_bytes(2)


class ApduError(Exception):
    """A command ends with ``status_word`` and no data."""

    def __init__(self, status_word: StatusWord) -> None:
        super().__init__(f"0x{status_word:04X} {status_word.name}")
        self.status_word = status_word


@dataclass(frozen=True, slots=True)
class Apdu:
    """A command. ``expected`` is how many bytes of answer it asks for at most: 256 or 65,536 where it says 0."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    expected: int = 0
    extended: bool = False


def parse(command: bytes) -> Apdu:
    """Read one command.

    Raises:
        ApduError: WRONG_LENGTH if the length fields do not agree with the length.
    """
    header, body = command[:4], command[4:]
    if len(header) < 4:
        raise ApduError(StatusWord.WRONG_LENGTH)
    # A zero where a short command has its length, and something behind it, announces three-byte lengths.
    extended = len(body) > 1 and body[0] == 0
    data, expected = _extended_body(body[1:]) if extended else _short_body(body)
    return Apdu(header[0], header[1], header[2], header[3], data, expected, extended)


def _short_body(body: bytes) -> tuple[bytes, int]:
    if not body:
        return b"", 0
    if len(body) == 1:
        return b"", body[0] or _SHORT_MAX
    length = body[0]
    data, rest = body[1 : 1 + length], body[1 + length :]
    if len(data) < length or len(rest) > 1:
        raise ApduError(StatusWord.WRONG_LENGTH)
    return data, (rest[0] or _SHORT_MAX) if rest else 0


def _extended_body(body: bytes) -> tuple[bytes, int]:
    if len(body) < 2:
        raise ApduError(StatusWord.WRONG_LENGTH)
    length = int.from_bytes(body[:2])
    if len(body) == 2:
        return b"", length or _EXTENDED_MAX
    data, rest = body[2 : 2 + length], body[2 + length :]
    if len(data) < length or len(rest) not in (0, 2):
        raise ApduError(StatusWord.WRONG_LENGTH)
    return data, (int.from_bytes(rest) or _EXTENDED_MAX) if rest else 0
