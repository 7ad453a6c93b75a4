"""What the drivers need of a serial port, and what they do with it alike."""

from __future__ import annotations

from typing import Protocol

from emulators.env import Clock

ANSWER_SECONDS = 3.0
"""Readers answer within milliseconds, but a machine that is busy may keep them from it."""
_GAP_SECONDS = 0.05
"""Within a message bytes follow each other faster than this, at 1200 baud too."""
_LONGEST_MESSAGE = 1 << 16


class ReaderError(Exception):
    """A reader did not do as it was told; ``str()`` is one sentence that names what was expected and found."""


class SerialPort(Protocol):
    """The part of ``serial.Serial`` that is used; pyserial is not imported here."""

    timeout: float | None
    baudrate: int

    def read(self, size: int = 1, /) -> bytes:
        """At most ``size`` bytes, fewer after ``timeout`` seconds."""
        ...

    def write(self, data: bytes, /) -> int | None:
        """Send ``data``."""
        ...

    def reset_input_buffer(self) -> None:
        """Drop what has come unread."""
        ...


class BarcodeReader(Protocol):
    """A barcode reader as a rig uses it, whatever its family."""

    def configure(self) -> None:
        """Set it up so that it looks when ``trigger`` says so, and sends what this driver understands; not permanently.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        ...

    def trigger(self) -> None:
        """Let it look, until it has read something or its time is up.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        ...

    def read(self, seconds: float) -> bytes | None:
        """The bytes of the next code; None if none came within ``seconds``.

        Raises:
            ReaderError: if what came is damaged.
        """
        ...


def read_exactly(port: SerialPort, count: int, seconds: float, what: str) -> bytes:
    """``count`` bytes.

    Raises:
        ReaderError: if they do not come within ``seconds``; ``what`` names them.
    """
    port.timeout = seconds
    data = port.read(count)
    if len(data) < count:
        raise ReaderError(f"the reader sent no {what}: expected {count} bytes, found {data.hex() or 'none'}")
    return data


def read_until(port: SerialPort, end: bytes, seconds: float, what: str) -> bytes:
    """Bytes up to and with ``end``.

    Raises:
        ReaderError: if it does not come within ``seconds``; ``what`` names what was to end with it.
    """
    port.timeout = seconds
    data = b""
    while not data.endswith(end):
        byte = port.read(1)
        if not byte or len(data) > _LONGEST_MESSAGE:
            raise ReaderError(f"the reader sent no {what}: expected it to end in {end.hex()}, found {data[-32:].hex()}")
        data += byte
    return data


def read_message(port: SerialPort, suffix: bytes, seconds: float, clock: Clock) -> bytes | None:
    """What a reader sent for one code, without ``suffix``; a suffix within the code is told apart by what follows it.

    Raises:
        ReaderError: if the line fell silent before the suffix: the rest was lost.
    """
    until = clock.monotonic() + seconds
    data = b""
    while not data:
        port.timeout = max(0.0, until - clock.monotonic())
        data = port.read(1)
        if not data and clock.monotonic() >= until:
            return None
    port.timeout = _GAP_SECONDS
    while len(data) <= _LONGEST_MESSAGE:
        # One by one, so that the time-out is that of a gap and not that of a message.
        more = port.read(1)
        if more:
            data += more
        elif data.endswith(suffix):
            return data.removesuffix(suffix)
        else:
            break
    raise ReaderError(f"a read broke off: expected it to end in {suffix.hex()}, found {data[-32:].hex()}")
