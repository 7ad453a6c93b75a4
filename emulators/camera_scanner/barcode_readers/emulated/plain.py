"""A reader without commands: what it reads comes out, between a prefix and a suffix."""

from dataclasses import dataclass

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.memory import Settings
from emulators.camera_scanner.barcode_readers.emulated.reader import SerialReader
from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.env import Env


@dataclass(frozen=True, slots=True)
class Framing:
    """What stands around the bytes of a code."""

    prefix: bytes = b""
    suffix: bytes = b"\r"
    aim_id: bool = False
    """Whether the AIM identifier stands between the prefix and the bytes."""


class PlainReader(SerialReader):
    """Says what it reads in its ``framing``, and hears nothing: it is set up by a dealer, not by its host."""

    def __init__(
        self,
        env: Env,
        framing: Framing = Framing(),
        *,
        baud_rate: int = 9600,
        pace: Pace = Pace(TriggerMode.PRESENTATION),  # noqa: B008 - frozen
    ) -> None:
        self._framing = framing
        self._fixed_baud_rate = baud_rate
        self._fixed_pace = pace
        super().__init__(env)

    def _message(self, code: Code) -> bytes:
        aim = code.symbology.encode("ascii") if self._framing.aim_id else b""
        return self._framing.prefix + aim + code.data + self._framing.suffix

    def _take_command(self, inbox: bytes) -> int:
        return len(inbox)

    def _restore(self, saved: Settings | None) -> None:
        """It has none."""

    def _saved(self) -> Settings:
        return {}

    def _wanted_baud_rate(self) -> int:
        return self._fixed_baud_rate

    def _pace(self) -> Pace:
        return self._fixed_pace
