"""Honeywell's readers: menu commands after ``SYN M CR``, the trigger as ``SYN T CR`` and ``SYN U CR``.

A menu command is one or more tags with values between semicolons, and ends in ``.`` (kept without power) or ``!`` (not
kept). The answer is the command again, with ACK, ENQ (no such tag) or NAK (no such value) after each tag. A tag
followed by ``?``, ``^`` or ``*`` asks for its value, its default, or what is possible. Source: Honeywell N86XX and
N431X user's guides, chapter "Serial programming commands".
"""

from __future__ import annotations

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.memory import SettingsMemory
from emulators.camera_scanner.barcode_readers.emulated.tag_reader import TagReader
from emulators.camera_scanner.barcode_readers.emulated.tags import Outcome, Tag
from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.env import Env

_SYN, _CR = b"\x16", b"\r"
_MENU, _TRIGGER, _UNTRIGGER = b"\x16M\r", b"\x16T\r", b"\x16U\r"
_ACK, _ENQ, _NAK = b"\x06", b"\x05", b"\x15"
_ANSWERS = {Outcome.DONE: _ACK, Outcome.UNKNOWN: _ENQ, Outcome.REFUSED: _NAK}
_ALL_CODES = "99"
_AIM_ESCAPE = b"\x5c\x81"
"""In a prefix or suffix these two bytes stand for the AIM identifier."""

_TAGS = (
    Tag("232BAD", "[0-9]", "9"),
    Tag("TRGMOD", "[0-3]", "0"),  # button, host, always, presentation
    Tag("TRGSTO", "[0-9]{1,6}", "30000"),  # milliseconds; 0: for ever
    Tag("DLYRRD", "[0-9]{1,5}", "750"),  # milliseconds between reads of the same code
    Tag("BEPDCD", "[01]", "1"),
    Tag("PREBK2", "99([0-9A-F]{2}){0,32}", "99"),  # a prefix for all codes, in hexadecimal
    Tag("SUFBK2", "99([0-9A-F]{2}){0,32}", "990D"),  # a suffix for all codes
)
_MODES = {
    "0": TriggerMode.MANUAL,
    "1": TriggerMode.HOST,
    "2": TriggerMode.CONTINUOUS,
    "3": TriggerMode.PRESENTATION,
}
_VERSION = "REVINF"
_FACTORY = ("DEFALT", "DEFAULT")
_CLEAR = {"PRECA2": "PREBK299", "SUFCA2": "SUFBK299"}


class Honeywell(TagReader):
    """A reader with menu commands, in the factory set to 115200 baud, the button, and CR as suffix."""

    def __init__(self, env: Env, memory: SettingsMemory | None = None) -> None:
        super().__init__(env, memory, _TAGS)

    def _pace(self) -> Pace:
        values = self._table.values
        return Pace(
            mode=_MODES[values["TRGMOD"]],
            read_timeout=int(values["TRGSTO"]) / 1000 or None,
            same_code_delay=int(values["DLYRRD"]) / 1000,
        )

    def _message(self, code: Code) -> bytes:
        before, after = (
            bytes.fromhex(self._table.values[tag].removeprefix(_ALL_CODES)).replace(
                _AIM_ESCAPE, code.symbology.encode("ascii")
            )
            for tag in ("PREBK2", "SUFBK2")
        )
        return before + code.data + after

    def _take_command(self, inbox: bytes) -> int:
        start = inbox.find(_SYN)
        if start != 0:
            return len(inbox) if start < 0 else start
        if len(inbox) < len(_MENU):
            return 0
        if inbox.startswith(_TRIGGER):
            self._trigger.start(by_host=True)
            return len(_TRIGGER)
        if inbox.startswith(_UNTRIGGER):
            self._trigger.stop()
            return len(_UNTRIGGER)
        if not inbox.startswith(_MENU):
            return 1
        ends = [end for end in (inbox.find(b".", 3), inbox.find(b"!", 3)) if end >= 0]
        if not ends:
            return 0
        end = min(ends)
        self._obey(inbox[len(_MENU) : end].decode("latin-1"), permanently=inbox[end : end + 1] == b".")
        return end + 1

    def _obey(self, text: str, *, permanently: bool) -> None:
        answers = [
            command.encode("latin-1") + self._one(command, permanently=permanently) for command in text.split(";")
        ]
        self._say(b";".join(answers) + (b"." if permanently else b"!"))
        self._settings_changed(permanently=permanently)

    def _one(self, command: str, *, permanently: bool) -> bytes:
        """Obey one tag; what comes after its echo."""
        command = command.upper()
        if command in _FACTORY:
            self._restore(None)
            return _ACK
        if command == _VERSION:
            return b": authrig emulated reader" + _ACK
        if command[-1:] in set("?^*"):
            return self._query(command[:-1], command[-1])
        outcome = self._table.put(_CLEAR.get(command, command))
        if outcome is Outcome.DONE and permanently:
            parts = self._table.split(_CLEAR.get(command, command))
            assert parts is not None
            self._kept[parts[0]] = parts[1]
        return _ANSWERS[outcome]

    def _query(self, tag: str, question: str) -> bytes:
        parts = self._table.split(tag)
        if parts is None or parts[1]:
            return _ENQ
        value = {"?": self._table.values[tag], "^": self._table.default(tag), "*": self._table.possible(tag)}[question]
        return value.encode("latin-1") + _ACK
