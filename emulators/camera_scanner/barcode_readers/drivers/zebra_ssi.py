"""Zebra's readers with the Simple Serial Interface: exact to the byte, since every packet has a length and a check sum."""

from __future__ import annotations

from emulators.camera_scanner.barcode_readers.drivers.port import ReaderError, SerialPort, read_exactly
from emulators.camera_scanner.barcode_readers.ssi_packets import (
    CONTINUATION,
    RETRANSMIT,
    Cause,
    ChecksumError,
    Opcode,
    Packet,
    Source,
    decode,
    packet_bytes,
)
from emulators.env import Clock

_ANSWER_SECONDS = 1.0
_MOST_TRIES = 3
_HOST_TRIGGER = bytes((0x8A, 8))
_PACKETS = bytes((0xEE, 1))
_NO_CODE_ID = bytes((0x2D, 0))
_NO_BEEP = b"\xff"


class ZebraSsiDriver:
    """Acknowledges what arrives whole, asks again for what does not, and repeats what the reader did not understand."""

    def __init__(self, port: SerialPort, clock: Clock) -> None:
        self._port, self._clock = port, clock
        self._last: Packet | None = None
        self._parts = b""
        self._reads: list[bytes] = []

    def configure(self) -> None:
        """The host's trigger, packets, and no identifier before the data.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        self._port.reset_input_buffer()
        self.command(Opcode.PARAM_SEND, _NO_BEEP + _HOST_TRIGGER + _PACKETS + _NO_CODE_ID)

    def trigger(self) -> None:
        """Let it look.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        self.command(Opcode.START_SESSION)

    def read(self, seconds: float) -> bytes | None:
        """The bytes of the next code; None if none came within ``seconds``.

        Raises:
            ReaderError: if a packet arrived damaged again and again.
        """
        until = self._clock.monotonic() + seconds
        while not self._reads:
            packet = self._receive(max(0.0, until - self._clock.monotonic()))
            if packet is None:
                if self._clock.monotonic() >= until:
                    return None
                continue
            self._take(packet)
        return self._reads.pop(0)

    def command(self, opcode: Opcode, data: bytes = b"") -> None:
        """Send a packet, and wait until the reader has acknowledged it.

        Raises:
            ReaderError: if it does not, or refuses.
        """
        for _ in range(_MOST_TRIES):
            self._port.write(Packet(opcode, Source.HOST, data).encode())
            answer = self._answer()
            if answer is not None and answer.opcode == Opcode.CMD_ACK:
                return
            if answer is not None and answer.data[:1] != bytes((Cause.RESEND,)):
                raise ReaderError(f"the reader refused {opcode.name} with cause {answer.data.hex()}")
        raise ReaderError(f"the reader did not acknowledge {opcode.name} after {_MOST_TRIES} tries")

    def _answer(self) -> Packet | None:
        """The next CMD_ACK or CMD_NAK; reads that come before it are kept."""
        until = self._clock.monotonic() + _ANSWER_SECONDS
        while (left := until - self._clock.monotonic()) > 0:
            packet = self._receive(left)
            if packet is not None and packet.opcode in {Opcode.CMD_ACK, Opcode.CMD_NAK}:
                return packet
            if packet is not None:
                self._take(packet)
        return None

    def _take(self, packet: Packet) -> None:
        """Acknowledge a packet, and keep what it brings unless it came before."""
        self._port.write(Packet(Opcode.CMD_ACK, Source.HOST).encode())
        plain = Packet(packet.opcode, packet.source, packet.data, packet.status & ~RETRANSMIT)
        repeated = packet.status & RETRANSMIT and plain == self._last
        self._last = plain
        if packet.opcode != Opcode.DECODE_DATA or repeated:
            return
        self._parts += packet.data[1:]
        if not packet.status & CONTINUATION:
            self._reads.append(self._parts)
            self._parts = b""

    def _receive(self, seconds: float) -> Packet | None:
        """The next packet that is whole; a damaged one is asked for again. None: nothing whole came in time."""
        self._port.timeout = seconds
        head = self._port.read(1)
        if not head or packet_bytes(head) == 0:
            return None
        try:
            return decode(head + read_exactly(self._port, head[0] + 1, _ANSWER_SECONDS, "whole packet"))
        except (ReaderError, ChecksumError):
            self._port.reset_input_buffer()
            self._port.write(Packet(Opcode.CMD_NAK, Source.HOST, bytes((Cause.RESEND,))).encode())
            return None
