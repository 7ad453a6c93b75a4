"""GM65, GM805, Waveshare's modules and Newland's EM3095."""

from emulators.camera_scanner.barcode_readers.drivers.port import (
    ANSWER_SECONDS,
    ReaderError,
    SerialPort,
    read_exactly,
    read_message,
)
from emulators.camera_scanner.barcode_readers.gm65_frames import ANSWER_HEAD, Kind, Register, answer, command, crc
from emulators.env import Clock

_TAIL = b"\r"
_HOST_MODE = 0x01


class Gm65Driver:
    """Reads and writes registers; sets the reader to the host's trigger and a CR after the data."""

    def __init__(self, port: SerialPort, clock: Clock) -> None:
        self._port, self._clock = port, clock

    def configure(self) -> None:
        """The host's trigger, no AIM identifier, CR at the end; the other bits of the registers stay.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        self.write_register(Register.MODE, self.read_register(Register.MODE) & ~0x03 | _HOST_MODE)
        self.write_register(Register.AIM_ID, self.read_register(Register.AIM_ID) & 0x7F)
        self.write_register(Register.TAIL, self.read_register(Register.TAIL) & ~0x60 | 0x01)

    def trigger(self) -> None:
        """Let it look.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        self.write_register(Register.TRIGGER, 1)

    def read(self, seconds: float) -> bytes | None:
        """The bytes of the next code; None if none came within ``seconds``.

        Raises:
            ReaderError: if what came is damaged.
        """
        return read_message(self._port, _TAIL, seconds, self._clock)

    def read_register(self, address: int) -> int:
        """What a register holds.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        return self._ask(command(Kind.READ, address, b"\x01"), 1)[0]

    def write_register(self, address: int, value: int) -> None:
        """Change a register until the next power cut.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        self._ask(command(Kind.WRITE, address, bytes((value,))), 1)

    def save(self) -> None:
        """Keep the registers without power.

        Raises:
            ReaderError: if it does not answer, or refuses.
        """
        self._ask(command(Kind.SAVE, 0, b"\x00"), 1)

    def _ask(self, frame: bytes, count: int) -> bytes:
        self._port.reset_input_buffer()
        self._port.write(frame)
        size = len(answer(0, bytes(count)))
        found = read_exactly(self._port, size, ANSWER_SECONDS, "answer")
        if found[:2] != ANSWER_HEAD or crc(found[2:-2]) != found[-2:]:
            raise ReaderError(f"the reader's answer is damaged: found {found.hex()}")
        if found[2]:
            raise ReaderError(f"the reader refused {frame.hex()} with status {found[2]}")
        return found[4:-2]
