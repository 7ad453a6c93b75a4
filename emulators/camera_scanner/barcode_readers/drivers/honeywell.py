"""Honeywell's readers with serial menu commands."""

from emulators.camera_scanner.barcode_readers.drivers.port import (
    ANSWER_SECONDS,
    ReaderError,
    SerialPort,
    read_message,
    read_until,
)
from emulators.env import Clock

_ACK = b"\x06"
_SUFFIX = b"\r"


class HoneywellDriver:
    """Sends menu commands without keeping them; triggers with SYN T CR."""

    def __init__(self, port: SerialPort, clock: Clock) -> None:
        self._port, self._clock = port, clock

    def configure(self) -> None:
        """No prefix, and CR as the only suffix.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        for tag in ("PRECA2", "SUFCA2", "SUFBK2990D"):
            self.set(tag)

    def trigger(self) -> None:
        """Let it look; it does not acknowledge that."""
        self._port.reset_input_buffer()
        self._port.write(b"\x16T\r")

    def read(self, seconds: float) -> bytes | None:
        """The bytes of the next code; None if none came within ``seconds``.

        Raises:
            ReaderError: if what came is damaged.
        """
        return read_message(self._port, _SUFFIX, seconds, self._clock)

    def set(self, tag: str) -> None:
        """Send one tag with its value, such as "TRGSTO5000", until the next power cut.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        self._port.reset_input_buffer()
        self._port.write(b"\x16M\r" + tag.encode("ascii") + b"!")
        found = read_until(self._port, b"!", ANSWER_SECONDS, f"answer to {tag}")
        if found != tag.encode("ascii") + _ACK + b"!":
            raise ReaderError(f"the reader refused {tag}: found {found.hex()}")
