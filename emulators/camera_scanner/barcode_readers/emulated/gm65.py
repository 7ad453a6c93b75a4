"""The GM65 family (GM65, GM805, Waveshare's modules), and Newland's EM3095, which speaks the same frames.

The frames and registers are described in ``gm65_frames``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.memory import Settings, SettingsMemory
from emulators.camera_scanner.barcode_readers.emulated.reader import SerialReader
from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace
from emulators.camera_scanner.barcode_readers.gm65_frames import (
    BAUD_CLOCK,
    COMMAND_HEAD,
    UNCHECKED,
    Kind,
    Register,
    answer,
    crc,
)
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.env import Env

_REGISTERS = 0x100
_SLOWEST, _FASTEST = 1200, 921_600


class _Status(IntEnum):
    DONE = 0x00
    BAD_CRC = 0x01
    INVALID = 0x03


_MODES = (TriggerMode.MANUAL, TriggerMode.HOST, TriggerMode.CONTINUOUS, TriggerMode.PRESENTATION)
_TAILS = (b"\r", b"\r\n", b"\t", b"")


@dataclass(frozen=True, slots=True)
class Model:
    """One product of the family."""

    version: int
    """What its version register says."""
    answers_errors: bool
    """Whether it says what was wrong with a frame, or nothing."""


GM65 = Model(version=0x69, answers_errors=False)
EM3095 = Model(version=0x10, answers_errors=True)


class Gm65(SerialReader):
    """A reader with registers, in the factory set to 9600 baud, the button, five seconds for a read, and CR as tail."""

    def __init__(self, env: Env, memory: SettingsMemory | None = None, model: Model = GM65) -> None:
        self._model = model
        self._registers = bytearray(_REGISTERS)
        super().__init__(env, memory)

    def _restore(self, saved: Settings | None) -> None:
        self._registers[:] = _factory(self._model)
        if saved is not None:
            kept = bytes.fromhex(saved["registers"])
            if len(kept) != _REGISTERS:
                raise ValueError(f"a GM65 has {_REGISTERS} registers, found {len(kept)}")
            self._registers[:] = kept

    def _saved(self) -> Settings:
        return {"registers": self._registers.hex()}

    def _wanted_baud_rate(self) -> int:
        return _nearest_rate(self._divisor())

    def _pace(self) -> Pace:
        registers = self._registers
        delay = registers[Register.SAME_CODE_DELAY]
        return Pace(
            mode=_MODES[registers[Register.MODE] & 0x03],
            read_timeout=registers[Register.READ_TIMEOUT] / 10 or None,
            interval=registers[Register.INTERVAL] / 10,
            same_code_delay=float(delay & 0x7F) if delay & 0x80 else None,
        )

    def _message(self, code: Code) -> bytes:
        aim = code.symbology.encode("ascii") if self._registers[Register.AIM_ID] & 0x80 else b""
        tail = self._registers[Register.TAIL]
        return aim + code.data + (_TAILS[tail >> 5 & 3] if tail & 1 else b"")

    def _take_command(self, inbox: bytes) -> int:
        start = inbox.find(COMMAND_HEAD[:1])
        if start < 0:
            return len(inbox)
        if start > 0:
            return start
        if len(inbox) >= 2 and not inbox.startswith(COMMAND_HEAD):
            return 1
        if len(inbox) < 6:
            return 0
        kind, length = inbox[2], inbox[3]
        end = 6 + length
        if len(inbox) < end + 2:
            return 0
        body, check = inbox[2:end], inbox[end : end + 2]
        if check not in (crc(body), UNCHECKED):
            self._refuse(_Status.BAD_CRC)
        else:
            self._obey(kind, int.from_bytes(inbox[4:6]), inbox[6:end])
        return end + 2

    def _obey(self, kind: int, address: int, data: bytes) -> None:
        if kind == Kind.READ and len(data) == 1 and address + (data[0] or 256) <= _REGISTERS:
            self._answer(bytes(self._registers[address : address + (data[0] or 256)]))
        elif kind == Kind.WRITE and data and address + len(data) <= _REGISTERS:
            self._write(address, data)
        elif kind == Kind.SAVE and address == 0 and data == b"\x00":
            self._answer(b"\x00")
            self._memory.save(self._saved())
        elif kind == Kind.SAVE and address == 0 and data in (b"\xff", b"\x02"):
            self._answer(b"\x00")
            self._restore(None)
            self._settings_changed(permanently=True)
        else:
            self._refuse(_Status.INVALID)

    def _write(self, address: int, data: bytes) -> None:
        before = bytes(self._registers)
        self._registers[address : address + len(data)] = data
        if self._registers[Register.VERSION] != before[Register.VERSION] or not self._possible_rate():
            self._registers[:] = before
            self._refuse(_Status.INVALID)
            return
        self._answer(b"\x00")
        self._settings_changed(permanently=False)
        if self._registers[Register.TRIGGER] & 1:
            self._registers[Register.TRIGGER] = 0
            self._trigger.start(by_host=True)
        if self._registers[Register.SLEEP] == 0xA5:
            self._registers[Register.SLEEP] = 0
            self._fall_asleep()

    def _divisor(self) -> int:
        return int.from_bytes(self._registers[Register.BAUD_RATE : Register.BAUD_RATE + 2], "little")

    def _possible_rate(self) -> bool:
        return self._divisor() > 0 and _SLOWEST <= _nearest_rate(self._divisor()) <= _FASTEST

    def _answer(self, data: bytes, status: int = _Status.DONE) -> None:
        self._say(answer(status, data))

    def _refuse(self, status: _Status) -> None:
        if self._model.answers_errors:
            self._answer(b"\x00", status)


def _factory(model: Model) -> bytes:
    """The registers as they leave the factory."""
    registers = bytearray(_REGISTERS)
    registers[Register.MODE] = 0xD4  # light, beep and aim as needed; the button
    registers[Register.INTERVAL] = 10
    registers[Register.READ_TIMEOUT] = 50
    registers[Register.TAIL] = 0x01
    registers[Register.BAUD_RATE : Register.BAUD_RATE + 2] = (BAUD_CLOCK // 9600 + 1).to_bytes(2, "little")
    registers[Register.VERSION] = model.version
    return bytes(registers)


def _nearest_rate(divisor: int) -> int:
    """The usual rate that a divisor of the clock stands for."""
    rates = (1200, 4800, 9600, 14400, 19200, 38400, 57600, 115_200, 230_400, 460_800, 921_600)
    return min(rates, key=lambda rate: abs(BAUD_CLOCK / max(1, divisor) - rate))
