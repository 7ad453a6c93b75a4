"""Honeywell's readers: menu commands after ``SYN M CR``, the trigger as ``SYN T CR`` and ``SYN U CR``.

A menu command is one or more tags with values (see ``tag_reader``), and ends in ``.`` (kept without power) or ``!`` (not
kept). Letters may be small; an answer to ``?``, ``^`` or ``*`` has them in capitals, with the value, the default or the
possible values in place of the question.

What confirms the values: the syntax, answers and questions, Honeywell 1200g user's guide pages 9-1 to 9-3; ``SYN T CR`` and
``SYN U CR``, N86 user's guide page 10-4; 0 to 300,000 ms and 30,000 by default for a read, Granit 1981i user guide page
119; no prefix and no suffix by default, 1900 user's guide page 5-1; ``232BAD9`` as 115200, CM-2D202 manual page 191. From
memory are the values of TRGMOD, DLYRRD, REVINF, the tags of prefix and suffix, and their escape for the AIM identifier.
"""

from __future__ import annotations

from typing import ClassVar

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.memory import SettingsMemory
from emulators.camera_scanner.barcode_readers.emulated.tag_reader import ACK, TagReader
from emulators.camera_scanner.barcode_readers.emulated.tags import Question, Tag
from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.env import Env

_SYN, _CR = b"\x16", b"\r"
_MENU, _TRIGGER, _UNTRIGGER = b"\x16M\r", b"\x16T\r", b"\x16U\r"
_ALL_CODES = "99"
_AIM_ESCAPE = b"\x5c\x81"
"""In a prefix or suffix these two bytes stand for the AIM identifier."""

_TAGS = (
    Tag("232BAD", "0-9", "9"),
    Tag("TRGMOD", "0-3", "0"),  # button, host, always, presentation
    Tag("TRGSTO", "0-300000", "30000"),  # milliseconds; 0: for ever
    Tag("DLYRRD", "0-30000", "750"),  # milliseconds between reads of the same code
    Tag("BEPDCD", "0-1", "1"),
    Tag("PREBK2", "99([0-9A-F]{2}){0,32}", "99"),  # a prefix for all codes, in hexadecimal
    Tag("SUFBK2", "99([0-9A-F]{2}){0,32}", "99"),  # a suffix for all codes
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
    """A reader with menu commands, in the factory set to 115200 baud, the button, and no suffix."""

    questions: ClassVar = {"?": Question.CURRENT, "^": Question.DEFAULT, "*": Question.POSSIBLE}

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
        self._say(self._answers(text, permanently=permanently) + (b"." if permanently else b"!"))
        self._settings_changed(permanently=permanently)

    def _answer(self, command: str, echo: str, *, permanently: bool) -> bytes:
        # Of bytes only the letters of ASCII have capitals; that of a Latin ÿ is no byte.
        command = command.encode("latin-1").upper().decode("latin-1")
        return super()._answer(_CLEAR.get(command, command), echo, permanently=permanently)

    def _special(self, command: str) -> bytes | None:
        if command in _FACTORY:
            self._restore(None)
            return command.encode("ascii") + ACK
        if command == _VERSION:
            return _VERSION.encode("ascii") + b": authrig emulated reader" + ACK
        return None
