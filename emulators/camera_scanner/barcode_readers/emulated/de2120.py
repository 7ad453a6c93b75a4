"""DYScan's DE2120, as SparkFun sells it: ``^_^``, a command and ``.``, answered by ACK or NAK.

Every setting is kept without power. Source: DE2120 settings manual, and SparkFun's client of it.
"""

from __future__ import annotations

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.memory import Settings, SettingsMemory
from emulators.camera_scanner.barcode_readers.emulated.reader import SerialReader
from emulators.camera_scanner.barcode_readers.emulated.tags import BAUD_RATES, Outcome, Tag, TagTable
from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.env import Env

_HEAD, _END = b"^_^", b"."
_ACK, _NAK = b"\x06", b"\x15"

_TAGS = (
    Tag("232BAD", "[2-9]", "9"),
    Tag("SCM", "MAN|CNT|MDH", "MAN"),  # button or host, continuous, motion
    Tag("CNTALW", "[0-3]", "0"),  # once, without interval, every 0.5 s, every second
    Tag("BEPPWM", "[0-3]", "2"),
    Tag("BEPSUC", "[01]", "1"),
    Tag("BEPPWR", "[01]", "1"),
    Tag("LAMENA", "[01]", "1"),
    Tag("AIMENA", "[01]", "1"),
    Tag("IMGREG", "[0-4]", "0"),
    Tag("MIRLRE", "[01]", "0"),
    Tag("UTFEAN", "[01]", "0"),
    Tag("232UTF", "[0-3]", "0"),
    Tag("SPCINV", "[01]", "0"),
    Tag("KBDVIR", "[01]", "1"),
    Tag("KBDCNV", "[0-3]", "0"),
    Tag("POR", "KBD|HID|VIC|232", "232"),
    Tag("MDTTHR", "15|20|30|50|100", "20"),
    Tag("CIDENA", "[01]", "0"),
    Tag("AQR", "ENA|DIS", "ENA"),  # two-dimensional codes
    Tag("ODC", "ENA|DIS", "ENA"),
)
_VERSION_QUESTIONS = {"DSPYFW", "\x04SPYFW"}
"""The second is what SparkFun's client sends."""
_INTERVALS = {"1": 0.0, "2": 0.5, "3": 1.0}
_READ_TIMEOUT = 5.0


class De2120(SerialReader):
    """A DE2120, in the factory set to 115200 baud, one read on command or button, and CR LF after the data."""

    def __init__(self, env: Env, memory: SettingsMemory | None = None) -> None:
        self._table = TagTable(_TAGS)
        super().__init__(env, memory)

    def _restore(self, saved: Settings | None) -> None:
        self._table.reset(saved)

    def _saved(self) -> Settings:
        return dict(self._table.values)

    def _wanted_baud_rate(self) -> int:
        return BAUD_RATES[self._table.values["232BAD"]]

    def _pace(self) -> Pace:
        values = self._table.values
        once = values["CNTALW"] == "0"
        mode = {
            "MAN": TriggerMode.MANUAL,
            "CNT": TriggerMode.PRESENTATION if once else TriggerMode.CONTINUOUS,
            "MDH": TriggerMode.PRESENTATION,
        }[values["SCM"]]
        return Pace(mode, _READ_TIMEOUT, interval=_INTERVALS.get(values["CNTALW"], 0.0))

    def _message(self, code: Code) -> bytes:
        # Its own code identifier for QR; others are not emulated.
        prefix = b"Q" if self._table.values["CIDENA"] == "1" else b""
        return prefix + code.data + b"\r\n"

    def _take_command(self, inbox: bytes) -> int:
        start = inbox.find(_HEAD[:1])
        if start != 0:
            return len(inbox) if start < 0 else start
        if len(inbox) >= len(_HEAD) and not inbox.startswith(_HEAD):
            return 1
        end = inbox.find(_END, len(_HEAD))
        if end < 0:
            return 0
        self._say(_ACK if self._obey(inbox[len(_HEAD) : end].decode("latin-1")) else _NAK)
        return end + 1

    def _obey(self, command: str) -> bool:
        """Whether there is such a command."""
        if command == "SCAN":
            self._trigger.start(by_host=True)
        elif command == "SLEEP":  # it ends a read; the light goes out
            self._trigger.stop()
        elif command == "DEFALT":
            self._table.reset()
        elif command not in _VERSION_QUESTIONS and self._table.put(command) is not Outcome.DONE:
            return False
        self._trigger.enabled = self._table.values["AQR"] == "ENA"
        self._settings_changed(permanently=True)
        return True
