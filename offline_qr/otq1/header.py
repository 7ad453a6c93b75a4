"""The 26 bytes that stand before every OTQ1 body: what the message is, for whom, and until when.

They travel in the clear, are covered by the seal, and go into the question.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from offline_qr.ocra import Suite, parse_suite
from offline_qr.otq1.errors import Damaged, NotEncodable, Unsupported
from offline_qr.otq1.keys import KEY_ID_BYTES

VERSION = 1
CHALLENGE_ID_BYTES = 12
TTL_SECONDS = range(30, 3601)
_LAYOUT = struct.Struct(f">BBBB{KEY_ID_BYTES}s{CHALLENGE_ID_BYTES}sIH")
HEADER_BYTES = _LAYOUT.size
_MAX_UINT32 = 2**32 - 1


class MessageType(IntEnum):
    """What a message is for."""

    LOGIN = 1
    TRANSACTION = 2
    ACTIVATION = 3
    """Gives a token its seed, or confirms the one that it has."""
    ADMIN = 4
    """Changes a token's clock, counter or PIN state, or wipes it."""
    DEMO = 5
    """Text that nobody sealed, for development. No code ever answers it."""


class Flags(IntFlag):
    """What the server asks of the token besides. A token that cannot do it refuses the message."""

    NONE = 0
    SIGNED = 1
    """An Ed25519 signature of 64 bytes follows."""
    PIN_REQUIRED = 2
    """The token asks for its own PIN before it shows the code."""
    CONFIRM_EACH_FIELD = 4
    NUMERIC_DISPLAY = 8


DEFAULT_TTL = {
    MessageType.LOGIN: 180,
    MessageType.TRANSACTION: 300,
    MessageType.ACTIVATION: 600,
    MessageType.ADMIN: 300,
    MessageType.DEMO: 180,
}
"""Seconds for which a message lives unless the server says otherwise."""

SUITES: dict[int, Suite] = {
    1: parse_suite("OCRA-1:HOTP-SHA256-8:QH64"),
    2: parse_suite("OCRA-1:HOTP-SHA256-6:QH64"),
    3: parse_suite("OCRA-1:HOTP-SHA256-8:C-QH64"),
    4: parse_suite("OCRA-1:HOTP-SHA256-8:QH64-PSHA256"),
    5: parse_suite("OCRA-1:HOTP-SHA256-8:QH64-T1M"),
    6: parse_suite("OCRA-1:HOTP-SHA512-8:QH64"),
}
"""Suite id to OCRA suite. Suite 2 has six digits and is for logins of low risk only."""
PIN_SUITE = 4
"""The suite in which the PIN goes into the code, so that only the server can judge it."""
STATELESS_SUITES = frozenset({1, 2, 6})
"""Suites that need nothing but the key: any token can answer them."""

_USER_SUITES = frozenset(SUITES) - {2}
_PLAIN_SUITES = frozenset({1, 6})
_ALLOWED_SUITES = {
    MessageType.LOGIN: frozenset(SUITES),
    MessageType.TRANSACTION: _USER_SUITES,
    MessageType.ACTIVATION: _PLAIN_SUITES,
    MessageType.ADMIN: _PLAIN_SUITES,
    MessageType.DEMO: frozenset({1}),
}
"""What each type may name. Six digits log in and do no more; activation and administration must not depend on a
counter, a clock or a PIN, which may be what they repair."""
_KNOWN_FLAGS = sum(Flags)
_ALLOWED_FLAGS = {
    MessageType.LOGIN: _KNOWN_FLAGS,
    MessageType.TRANSACTION: _KNOWN_FLAGS,
    MessageType.ACTIVATION: int(Flags.SIGNED),
    MessageType.ADMIN: int(Flags.SIGNED),
    MessageType.DEMO: Flags.CONFIRM_EACH_FIELD | Flags.NUMERIC_DISPLAY,
}


@dataclass(frozen=True, slots=True)
class Header:
    """One challenge's header. None with an impossible value can be made.

    Raises:
        NotEncodable: a length or number is out of range.
        Unsupported: a type, suite or flag that this implementation does not know.
    """

    type: MessageType
    key_id: bytes
    """4 bytes: ``key_id(serial)`` of the token."""
    challenge_id: bytes
    """12 random bytes, never used twice: the nonce of the seal, and the server's name for the challenge."""
    issued_at: int
    """Seconds since 1970, 0 to 2^32-1 (the year 2106)."""
    ttl: int
    """Seconds to live, 30 to 3600."""
    suite: int = 1
    flags: Flags = Flags.NONE

    def __post_init__(self) -> None:
        _check_supported(self.type, self.suite, self.flags)
        for name, value, size in (
            ("key id", self.key_id, KEY_ID_BYTES),
            ("challenge id", self.challenge_id, CHALLENGE_ID_BYTES),
        ):
            if len(value) != size:
                raise NotEncodable(f"the {name} has {size} bytes, found {len(value)}")
        if not 0 <= self.issued_at <= _MAX_UINT32:
            raise NotEncodable(f"the time of issue is 0 to 2^32-1 seconds since 1970, found {self.issued_at}")
        if self.ttl not in TTL_SECONDS:
            raise NotEncodable(f"the time to live is {TTL_SECONDS[0]} to {TTL_SECONDS[-1]} seconds, found {self.ttl}")

    def pack(self) -> bytes:
        """The 26 bytes."""
        return _LAYOUT.pack(
            VERSION, self.type, self.suite, self.flags, self.key_id, self.challenge_id, self.issued_at, self.ttl
        )

    @property
    def ocra_suite(self) -> Suite:
        """The OCRA suite that the code is computed with."""
        return SUITES[self.suite]

    def expired_at(self, now: float, drift: float) -> bool:
        """Whether the challenge is dead at ``now`` (seconds since 1970) by a clock that may be ``drift`` seconds off."""
        return now > self.issued_at + self.ttl + drift

    def in_the_future_at(self, now: float, drift: float) -> bool:
        """Whether the challenge was issued after ``now`` by more than ``drift`` seconds: one of the clocks is wrong."""
        return self.issued_at > now + drift


def parse_header(message: bytes) -> Header:
    """The header of ``message``, which may go on after it. Nothing in it can be trusted before the seal is opened.

    Raises:
        Damaged: too short, or a number out of range.
        Unsupported: a version, type, suite or flag that this implementation does not know.
    """
    # The version decides what everything after it means, so it is judged first, whatever the length.
    if message and message[0] != VERSION:
        raise Unsupported(f"unknown version: expected {VERSION}, found {message[0]}")
    if len(message) < HEADER_BYTES:
        raise Damaged(f"the message is cut: expected a header of {HEADER_BYTES} bytes, found {len(message)}")
    _, kind, suite, flags, key_id, challenge_id, issued_at, ttl = _LAYOUT.unpack_from(message)
    _check_supported(kind, suite, flags)
    try:
        return Header(MessageType(kind), key_id, challenge_id, issued_at, ttl, suite, Flags(flags))
    except NotEncodable as error:
        raise Damaged(str(error)) from None


def _check_supported(kind: int, suite: int, flags: int) -> None:
    if kind not in _ALLOWED_SUITES:
        raise Unsupported(f"unknown message type: expected 1 to {len(_ALLOWED_SUITES)}, found {kind}")
    kind = MessageType(kind)
    if suite not in SUITES:
        raise Unsupported(f"unknown suite: expected one of {sorted(SUITES)}, found {suite}")
    if suite not in _ALLOWED_SUITES[kind]:
        known = sorted(_ALLOWED_SUITES[kind])
        raise Unsupported(f"a message of type {kind} ({kind.name.lower()}) has a suite of {known}, found {suite}")
    if flags & ~_KNOWN_FLAGS:
        raise Unsupported(f"unknown flags: expected bits 0 to 3, found {flags:08b}")
    if flags & ~_ALLOWED_FLAGS[kind]:
        allowed = f"{_ALLOWED_FLAGS[kind]:04b}"
        raise Unsupported(f"a message of type {kind} ({kind.name.lower()}) has flags of {allowed}, found {flags:04b}")
    if suite == PIN_SUITE and flags & Flags.PIN_REQUIRED:
        raise Unsupported(f"in suite {PIN_SUITE} the server judges the PIN: expected flag bit 1 clear, found it set")
