"""Packets of Zebra's Simple Serial Interface: length, opcode, source, status, data, check sum.

The length counts all but the check sum, which is the two's complement of the sum of all bytes before it, high byte
first. Source: Zebra Simple Serial Interface programmer's guide (72E-40451), "SSI message structure".
The opcodes are confirmed by the DS9908 product reference guide, page 245, but for FLUSH_QUEUE, which is from memory; the
guide calls the sessions START_DECODE and STOP_DECODE.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

RETRANSMIT = 0x01
"""Bit of the status: this packet was sent before."""
CONTINUATION = 0x02
"""Bit of the status: another packet of the same message follows."""
PERMANENT = 0x08
"""Bit of the status of PARAM_SEND: keep the values without power."""
LARGEST_DATA = 251
_HEADER, _CHECK = 4, 2


class Opcode(IntEnum):
    """What a packet says."""

    REQUEST_REVISION = 0xA3
    REPLY_REVISION = 0xA4
    AIM_OFF = 0xC4
    AIM_ON = 0xC5
    PARAM_SEND = 0xC6
    PARAM_REQUEST = 0xC7
    PARAM_DEFAULTS = 0xC8
    CMD_ACK = 0xD0
    CMD_NAK = 0xD1
    FLUSH_QUEUE = 0xD2
    CAPABILITIES_REQUEST = 0xD3
    CAPABILITIES_REPLY = 0xD4
    START_SESSION = 0xE4
    STOP_SESSION = 0xE5
    BEEP = 0xE6
    LED_ON = 0xE7
    LED_OFF = 0xE8
    SCAN_ENABLE = 0xE9
    SCAN_DISABLE = 0xEA
    SLEEP = 0xEB
    DECODE_DATA = 0xF3


class Cause(IntEnum):
    """Why a packet was not acknowledged."""

    RESEND = 1
    """Its check sum was wrong."""
    BAD_CONTEXT = 2
    """It is not understood."""
    DENIED = 6
    """It is not allowed now."""


class Source(IntEnum):
    """Who sent a packet."""

    DECODER = 0
    HOST = 4


class ChecksumError(ValueError):
    """A packet's check sum is wrong."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet."""

    opcode: int
    source: int
    data: bytes = b""
    status: int = 0

    def encode(self) -> bytes:
        """The packet as bytes.

        Raises:
            ValueError: if its data is longer than ``LARGEST_DATA`` bytes.
        """
        if len(self.data) > LARGEST_DATA:
            raise ValueError(f"an SSI packet has at most {LARGEST_DATA} bytes of data, found {len(self.data)}")
        body = bytes((_HEADER + len(self.data), self.opcode, self.source, self.status)) + self.data
        return body + checksum(body)


def checksum(body: bytes) -> bytes:
    """The two's complement of the sum of ``body``, high byte first."""
    return (-sum(body) & 0xFFFF).to_bytes(2)


def packet_bytes(inbox: bytes) -> int | None:
    """How many bytes the packet has with which ``inbox`` begins; None: they have not all come; 0: it is no packet."""
    if not inbox:
        return None
    if inbox[0] < _HEADER:
        return 0
    whole = inbox[0] + _CHECK
    return whole if len(inbox) >= whole else None


def decode(packet: bytes) -> Packet:
    """The packet in exactly these bytes.

    Raises:
        ChecksumError: if its check sum is wrong.
    """
    body, check = packet[:-_CHECK], packet[-_CHECK:]
    if checksum(body) != check:
        raise ChecksumError(f"an SSI packet has the check sum {checksum(body).hex()}, found {check.hex()}")
    return Packet(body[1], body[2], body[_HEADER:], body[3])
