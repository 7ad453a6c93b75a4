"""DYScan's DE2120, as SparkFun sells it."""

from emulators.camera_scanner.barcode_readers.drivers.port import (
    ANSWER_SECONDS,
    ReaderError,
    SerialPort,
    read_exactly,
    read_message,
)
from emulators.env import Clock

_ACK = b"\x06"
_SUFFIX = b"\r\n"


class De2120Driver:
    """Sends commands between ``^_^`` and ``.``; every setting of this reader is permanent."""

    def __init__(self, port: SerialPort, clock: Clock) -> None:
        self._port, self._clock = port, clock

    def configure(self) -> None:
        """One read on command, and no code identifier.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        for command in ("SCMMAN", "CIDENA0"):
            self.send(command)

    def trigger(self) -> None:
        """Let it look.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        self.send("SCAN")

    def read(self, seconds: float) -> bytes | None:
        """The bytes of the next code; None if none came within ``seconds``.

        Raises:
            ReaderError: if what came is damaged.
        """
        return read_message(self._port, _SUFFIX, seconds, self._clock)

    def send(self, command: str) -> None:
        """Send one command, such as "LAMENA0".

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        self._port.reset_input_buffer()
        self._port.write(f"^_^{command}.".encode("ascii"))
        found = read_exactly(self._port, 1, ANSWER_SECONDS, f"answer to {command}")
        if found != _ACK:
            raise ReaderError(f"the reader refused {command}: found {found.hex()}")
