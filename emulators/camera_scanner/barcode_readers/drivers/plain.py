"""A reader without commands, whose button someone presses or which always looks."""

from emulators.camera_scanner.barcode_readers.drivers.port import ReaderError, SerialPort, read_message
from emulators.env import Clock


class PlainDriver:
    """Takes what comes between ``prefix`` and ``suffix``; it can neither configure nor trigger anything."""

    def __init__(self, port: SerialPort, clock: Clock, *, prefix: bytes = b"", suffix: bytes = b"\r") -> None:
        self._port, self._clock = port, clock
        self._prefix, self._suffix = prefix, suffix

    def configure(self) -> None:
        """Drop what was read before."""
        self._port.reset_input_buffer()

    def trigger(self) -> None:
        """Nothing: it looks when it likes."""

    def read(self, seconds: float) -> bytes | None:
        """The bytes of the next code; None if none came within ``seconds``.

        Raises:
            ReaderError: if what came has not the prefix and the suffix.
        """
        message = read_message(self._port, self._suffix, seconds, self._clock)
        if message is not None and not message.startswith(self._prefix):
            raise ReaderError(f"a read begins with {self._prefix.hex()}, found {message[:16].hex()}")
        return None if message is None else message.removeprefix(self._prefix)
