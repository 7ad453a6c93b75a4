"""Frames and registers of the GM65 family, for the emulated reader and for the driver of a real one.

A command is ``7E 00 type length address(2) data CRC(2)`` and an answer ``02 00 status length data CRC(2)``. The CRC is
CCITT, polynomial 1021 and start 0, over everything after the first two bytes; ``AB CD`` in its place is not checked.
Sources: GM65 user manual, chapter "Programming with serial command"; EM3095 guide, page 19.
"""

import binascii
from enum import IntEnum

COMMAND_HEAD = b"\x7e\x00"
ANSWER_HEAD = b"\x02\x00"
UNCHECKED = b"\xab\xcd"
BAUD_CLOCK = 3_000_000


class Register(IntEnum):
    """The registers ("zone bits") that do something here; the others keep what is written to them."""

    MODE = 0x0000
    TRIGGER = 0x0002
    INTERVAL = 0x0005
    """In tenths of a second."""
    READ_TIMEOUT = 0x0006
    """In tenths of a second; 0: for ever."""
    SAME_CODE_DELAY = 0x0013
    """Bit 7: there is one; bits 6 to 0: seconds."""
    BAUD_RATE = 0x002A
    """Two bytes, low one first: 3 MHz over the rate."""
    TAIL = 0x0060
    """Bit 0: there is one; bits 6 and 5: CR, CR LF, TAB, none."""
    AIM_ID = 0x00D0
    """Bit 7: the AIM identifier stands before the data."""
    SLEEP = 0x00D9
    """Writing A5 lets it sleep, until a byte comes."""
    VERSION = 0x00E2
    """Cannot be written."""


class Kind(IntEnum):
    """What a command does."""

    READ = 0x07
    WRITE = 0x08
    SAVE = 0x09


def crc(data: bytes) -> bytes:
    """The check of a frame, high byte first."""
    return binascii.crc_hqx(data, 0).to_bytes(2)


def command(kind: Kind, address: int, data: bytes) -> bytes:
    """A command; to read, ``data`` is the number of registers, and the length is 1."""
    body = bytes((kind, len(data) & 0xFF)) + address.to_bytes(2) + data
    return COMMAND_HEAD + body + crc(body)


def answer(status: int, data: bytes) -> bytes:
    """An answer; 256 bytes of data have the length 0."""
    body = bytes((status, len(data) & 0xFF)) + data
    return ANSWER_HEAD + body + crc(body)
