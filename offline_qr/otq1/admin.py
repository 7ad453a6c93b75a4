"""Administration of a token (type 4): what its server tells it to change, and the code that says that it did.

``body = sequence (4) | command (1) | arguments``, sealed like every other body.

=======  ============  ===============================================================
command  name          arguments
=======  ============  ===============================================================
1        CLOCK_SYNC    none: the clock is set to the header's time of issue
2        COUNTER_SYNC  counter (8): the counter that the next code under suite 3 uses
3        PIN_UNLOCK    keep (1): 1 keeps the PIN, 0 has the user set a new one
4        WIPE          none: seed, counters and PIN are erased
=======  ============  ===============================================================

The sequence stops replays, which a clock cannot do here: it may be the clock that is wrong. A token keeps the last one
that it obeyed and refuses a number that is not greater. It makes the change last first, then shows the code; before a
wipe it computes the code first. The clock check is left out for CLOCK_SYNC only.
"""

from dataclasses import dataclass
from enum import IntEnum

from offline_qr import gcm_siv
from offline_qr.otq1 import envelope, seal
from offline_qr.otq1.challenge import question
from offline_qr.otq1.errors import Damaged, NotEncodable, Unsupported
from offline_qr.otq1.header import Header, MessageType
from offline_qr.otq1.keys import Keys
from offline_qr.reader import Reader

SEQUENCE_BYTES = 4
COUNTER_BYTES = 8
_LEAST = SEQUENCE_BYTES + 1 + gcm_siv.TAG_BYTES


class Command(IntEnum):
    """What the token is told to do. The token words it for its user; the server sends no text."""

    CLOCK_SYNC = 1
    COUNTER_SYNC = 2
    PIN_UNLOCK = 3
    WIPE = 4


_COMMANDS = frozenset(Command)
_RANGES = {Command.COUNTER_SYNC: (COUNTER_BYTES, 2 ** (8 * COUNTER_BYTES) - 1), Command.PIN_UNLOCK: (1, 1)}
"""Bytes of the argument, and its greatest value."""


@dataclass(frozen=True, slots=True)
class AdminMessage:
    """One command to one token.

    Raises:
        NotEncodable: the header is of another type, or a number is out of range or does not belong to the command.
        Unsupported: an unknown command.
    """

    header: Header
    sequence: int
    """1 to 2^32-1, greater than that of every admin message which the token obeyed before."""
    command: Command
    argument: int | None = None
    """The counter for COUNTER_SYNC, whether to keep the PIN (1 or 0) for PIN_UNLOCK, otherwise None."""

    def __post_init__(self) -> None:
        if self.header.type is not MessageType.ADMIN:
            raise NotEncodable(f"an admin message has type {MessageType.ADMIN}, found {self.header.type}")
        if not 1 <= self.sequence < 2 ** (8 * SEQUENCE_BYTES):
            raise NotEncodable(f"the sequence is 1 to 2^32-1, found {self.sequence}")
        if self.command not in _COMMANDS:
            raise Unsupported(f"unknown command: expected 1 to {len(_COMMANDS)}, found {self.command}")
        if (self.argument is not None) != (self.command in _RANGES):
            raise NotEncodable(f"{self.command.name} has another number of arguments, found {self.argument}")
        if self.argument is not None and not 0 <= self.argument <= _RANGES[self.command][1]:
            raise NotEncodable(
                f"the argument of {self.command.name} is 0 to {_RANGES[self.command][1]}, found {self.argument}"
            )

    @property
    def body(self) -> bytes:
        """The bytes that are sealed."""
        argument = b"" if self.argument is None else self.argument.to_bytes(_RANGES[self.command][0])
        return self.sequence.to_bytes(SEQUENCE_BYTES) + bytes([self.command]) + argument

    @property
    def question(self) -> str:
        """The OCRA question, 64 hex digits."""
        return question(self.header, self.body)


def encode_admin(message: AdminMessage, keys: Keys, signing_key: bytes | None = None) -> str:
    """The text of the QR code; arguments and errors as for ``encode``."""
    return envelope.wrap(message.header, seal.seal(message.header, message.body, keys), signing_key)


def decode_admin(text: str | bytes, keys: Keys, token: str | bytes, *, verify_key: bytes | None = None) -> AdminMessage:
    """The admin message that ``text`` carries. Sequence and clock are the token's to check.

    Arguments and errors as for ``decode``.
    """
    header, sealed = envelope.unwrap(text, token, (MessageType.ADMIN,), _LEAST, verify_key)
    reader = Reader("admin message", seal.open_sealed(header, sealed, keys), Damaged)
    sequence, number = reader.number(SEQUENCE_BYTES), reader.number()
    if number not in _COMMANDS:
        raise Unsupported(f"unknown command: expected 1 to {len(_COMMANDS)}, found {number}")
    command = Command(number)
    argument = reader.number(_RANGES[command][0]) if command in _RANGES else None
    reader.end()
    try:
        return AdminMessage(header, sequence, command, argument)
    except NotEncodable as error:
        raise Damaged(str(error)) from None


def compute_admin_code(message: AdminMessage, keys: Keys) -> str:
    """The 8 digits that say that the token did as it was told."""
    return message.header.ocra_suite.compute(keys.ocra_admin, message.question)
