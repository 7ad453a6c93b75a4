"""The keyboard wedge: a reader that types what it reads, as a USB keyboard with HID's boot protocol.

Sources: HID 1.11 §8.3 and appendix B.1 for the reports, HID Usage Tables 1.5 §10 and §11 for keys and lamps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace
from emulators.camera_scanner.barcode_readers.hid.layout import CAPS_LOCK, Stroke, load_layout
from emulators.camera_scanner.barcode_readers.hid.reader import HidReader
from emulators.camera_scanner.barcode_readers.hid.strokes import Typing, type_text
from emulators.camera_scanner.barcode_readers.modes import TriggerMode

if TYPE_CHECKING:
    from emulators.camera_scanner.barcode_readers.emulated.code import Code
    from emulators.env import Env

_CAPS_LOCK_LAMP = 0x02
_ALL_KEYS_UP = bytes(8)
_LAMP_SECONDS = 0.5
"""How long a host takes to set a lamp after a key."""

REPORT_DESCRIPTOR = bytes.fromhex(
    "0501 0906 a101"  # generic desktop, keyboard
    " 0507 19e0 29e7 1500 2501 7501 9508 8102"  # eight modifiers
    " 9501 7508 8101"  # a byte that is 0
    " 0508 1901 2905 9505 7501 9102 9501 7503 9101"  # five lamps, set by the host
    " 0507 1900 2aff00 1500 26ff00 9506 7508 8100"  # six keys
    " c0"
)


@dataclass(frozen=True, slots=True)
class WedgeSettings:
    """How a wedge types.

    Raises:
        ValueError: if there is no such layout or encoding.
    """

    layout: str = "us"
    """The layout that it believes its host to have."""
    typing: Typing = Typing.KEYS
    prefix: str = ""
    suffix: str = "\r"
    """Enter; a Tab moves on to a form's next field."""
    aim_id: bool = False
    """Whether the AIM identifier stands between the prefix and the text."""
    encoding: str = "cp1252"
    """How the bytes of a code become characters; bytes that it does not have are left out. Honeywell's guides call the
    default code page 1252; "utf-8" and "latin-1" are others."""
    interval: float = 0.0
    """Seconds between a key and the next event ("inter-keystroke delay")."""
    heed_caps_lock: bool = True
    """Whether to press Caps Lock before and after, where the host's lamp says that it is on. Without this letters
    arrive as the other ones."""

    def __post_init__(self) -> None:
        load_layout(self.layout)
        try:
            b"a".decode(self.encoding, errors="ignore")
        except (LookupError, UnicodeError) as error:
            raise ValueError(
                f"no encoding of characters {self.encoding!r}: cp1252, latin-1 and utf-8 are some"
            ) from error


class KeyboardWedge(HidReader):
    """Types each code that it reads. A host's lamps tell it of Caps Lock."""

    report_descriptor = REPORT_DESCRIPTOR
    resting_report = _ALL_KEYS_UP
    boot_keyboard = True

    def __init__(
        self,
        env: Env,
        settings: WedgeSettings = WedgeSettings(),
        pace: Pace = Pace(TriggerMode.PRESENTATION),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(env, pace)
        self._settings = settings
        self._layout = load_layout(settings.layout)
        self.interval = settings.interval
        self._lamp = False
        self._caps_lock = False
        self._typed_at = -math.inf

    @property
    def caps_lock(self) -> bool:
        """Whether its host has Caps Lock on, as far as its lamp tells."""
        # While this types, and a little longer, the lamp may be about its own keys.
        if not self._reports and self.clock.monotonic() - self._typed_at >= _LAMP_SECONDS:
            self._caps_lock = self._lamp
        return self._caps_lock

    def receive(self, report: bytes) -> None:
        """The lamps: one byte."""
        if len(report) == 1:
            self._lamp = bool(report[0] & _CAPS_LOCK_LAMP)

    def take_report(self) -> bytes | None:
        """The next report for the host; None: there is none yet."""
        report = super().take_report()
        if report is not None:
            self._typed_at = self.clock.monotonic()
        return report

    def host_left(self) -> None:
        """Nobody is told of what was being typed; another host has its own Caps Lock."""
        super().host_left()
        self._lamp = self._caps_lock = False

    def _report(self, code: Code) -> None:
        text = code.data.decode(self._settings.encoding, errors="ignore")
        aim = code.symbology if self._settings.aim_id else ""
        strokes = type_text(
            self._settings.prefix + aim + text + self._settings.suffix, self._layout, self._settings.typing
        )
        if self.caps_lock and self._settings.heed_caps_lock:
            toggle = (Stroke(CAPS_LOCK),)
            strokes = toggle + strokes + toggle
        self._queue(reports_of(strokes))


def reports_of(strokes: tuple[Stroke, ...]) -> list[bytes]:
    """Two reports for each stroke: a key goes down, and it comes up."""
    reports = []
    for stroke in strokes:
        reports += [bytes((stroke.modifiers, 0, stroke.key, 0, 0, 0, 0, 0)), bytes((stroke.holds,)) + _ALL_KEYS_UP[1:]]
    return reports
