"""Newland's readers with unified commands."""

from emulators.camera_scanner.barcode_readers.drivers.port import (
    ANSWER_SECONDS,
    ReaderError,
    SerialPort,
    read_message,
    read_until,
)
from emulators.env import Clock

_ACK, _ETX = b"\x06", b"\x03"
_SUFFIX = b"\r"


class NewlandDriver:
    """Sends unified commands without keeping them; triggers with SCNTRG1."""

    def __init__(self, port: SerialPort, clock: Clock) -> None:
        self._port, self._clock = port, clock

    def configure(self) -> None:
        """No prefix, no AIM identifier, CR at the end.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        for tag in ("AIDENA0", "CPRENA0", "CSUENA0", "TSUENA1", "TSUSET0D"):
            self.set(tag)

    def trigger(self) -> None:
        """Let it look.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        self.set("SCNTRG1")

    def read(self, seconds: float) -> bytes | None:
        """The bytes of the next code; None if none came within ``seconds``.

        Raises:
            ReaderError: if what came is damaged.
        """
        return read_message(self._port, _SUFFIX, seconds, self._clock)

    def set(self, tag: str) -> None:
        """Send one tag with its value, such as "ORTSET5000", until the next power cut.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        self._port.reset_input_buffer()
        command = b"0000#" + tag.encode("ascii")
        self._port.write(b"~\x01" + command + b";" + _ETX)
        found = read_until(self._port, _ETX, ANSWER_SECONDS, f"answer to {tag}")
        if found != b"\x02\x01" + command + _ACK + b";" + _ETX:
            raise ReaderError(f"the reader refused {tag}: found {found.hex()}")
