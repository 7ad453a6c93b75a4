"""Newland's unified commands: ``~ SOH 0000 @ TAG; ETX``, answered by ``STX SOH 0000 @ TAG ACK ; ETX``.

``@`` keeps a setting without power, ``#`` does not. Commands are tags with values (see ``tag_reader``), in capitals; ``*``
asks for the value, ``&`` for the default, ``^`` for the possible values.

What confirms the values: the frame, the syntax, the questions and the answers, HR42 user guide pages 15 and 16. From memory
are the settings and their values.
"""

from __future__ import annotations

import re
from typing import ClassVar

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.memory import SettingsMemory
from emulators.camera_scanner.barcode_readers.emulated.tag_reader import ACK, NAK, TagReader
from emulators.camera_scanner.barcode_readers.emulated.tags import Question, Tag
from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.env import Env

_HEAD, _ANSWER, _ETX = b"~\x01", b"\x02\x01", b"\x03"
_COMMAND = re.compile(r"([0-9A-F]{4})([@#])([^;]*(?:;[^;]*)*);")

_TAGS = (
    Tag("232BAD", "0-9", "5"),
    Tag("SCNMOD", "0|2|3|8", "0"),  # level, sense (presentation), continuous, host
    Tag("ORTSET", "0-999999", "3000"),  # milliseconds for a read; 0: for ever
    Tag("RRDENA", "0-1", "1"),
    Tag("RRDDUR", "0-99999", "1500"),  # milliseconds between reads of the same code
    Tag("AIDENA", "0-1", "0"),  # the AIM identifier before the data
    Tag("CPRENA", "0-1", "0"),  # a prefix
    Tag("CPRSET", "([0-9A-F]{2}){0,11}", ""),
    Tag("CSUENA", "0-1", "0"),  # a suffix
    Tag("CSUSET", "([0-9A-F]{2}){0,11}", ""),
    Tag("TSUENA", "0-1", "1"),  # a terminating suffix
    Tag("TSUSET", "([0-9A-F]{2}){0,2}", "0D"),
)
_MODES = {
    "0": TriggerMode.MANUAL,
    "2": TriggerMode.PRESENTATION,
    "3": TriggerMode.CONTINUOUS,
    "8": TriggerMode.HOST,
}
_TRIGGERS, _FACTORY = ("SCNTRG1", "SCNTRG0"), "FACDEF"


class Newland(TagReader):
    """A reader with unified commands, in the factory set to 9600 baud, the button, and CR at the end."""

    questions: ClassVar = {"*": Question.CURRENT, "&": Question.DEFAULT, "^": Question.POSSIBLE}
    no_such_question = NAK

    def __init__(self, env: Env, memory: SettingsMemory | None = None) -> None:
        super().__init__(env, memory, _TAGS)

    def _pace(self) -> Pace:
        values = self._table.values
        return Pace(
            mode=_MODES[values["SCNMOD"]],
            read_timeout=int(values["ORTSET"]) / 1000 or None,
            same_code_delay=int(values["RRDDUR"]) / 1000 if values["RRDENA"] == "1" else None,
        )

    def _message(self, code: Code) -> bytes:
        prefix, suffix, end = (
            bytes.fromhex(self._table.values[f"{tag}SET"]) if self._table.values[f"{tag}ENA"] == "1" else b""
            for tag in ("CPR", "CSU", "TSU")
        )
        aim = code.symbology.encode("ascii") if self._table.values["AIDENA"] == "1" else b""
        return prefix + aim + code.data + suffix + end

    def _take_command(self, inbox: bytes) -> int:
        start = inbox.find(_HEAD[:1])
        if start != 0:
            return len(inbox) if start < 0 else start
        if len(inbox) >= 2 and not inbox.startswith(_HEAD):
            return 1
        end = inbox.find(_ETX)
        if end < 0:
            return 0
        command = _COMMAND.fullmatch(inbox[len(_HEAD) : end].decode("latin-1"))
        if command is None:
            return 1
        self._obey(command[1], command[2], command[3])
        return end + 1

    def _obey(self, station: str, kind: str, tags: str) -> None:
        permanently = kind == "@"
        answers = self._answers(tags, permanently=permanently)
        self._say(_ANSWER + f"{station}{kind}".encode() + answers + b";" + _ETX)
        self._settings_changed(permanently=permanently)

    def _special(self, command: str) -> bytes | None:
        if command in _TRIGGERS:
            if command == "SCNTRG1":
                self._trigger.start(by_host=True)
            else:
                self._trigger.stop()
        elif command == _FACTORY:
            self._restore(None)
        else:
            return None
        return command.encode("ascii") + ACK
