"""Newland's unified commands: ``~ SOH 0000 @ TAG; ETX``, answered by ``STX SOH 0000 @ TAG ACK ; ETX``.

``@`` keeps a setting without power, ``#`` does not. After each tag the answer has ACK, ENQ (no such tag) or NAK (no such
value); a tag followed by ``*`` asks for its value. Source: Newland HR52 user guide, chapter "Serial programming".
"""

from __future__ import annotations

import re

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.memory import SettingsMemory
from emulators.camera_scanner.barcode_readers.emulated.tag_reader import TagReader
from emulators.camera_scanner.barcode_readers.emulated.tags import Outcome, Tag
from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.env import Env

_HEAD, _ANSWER, _ETX = b"~\x01", b"\x02\x01", b"\x03"
_ACK, _ENQ, _NAK = b"\x06", b"\x05", b"\x15"
_ANSWERS = {Outcome.DONE: _ACK, Outcome.UNKNOWN: _ENQ, Outcome.REFUSED: _NAK}
_COMMAND = re.compile(r"([0-9A-F]{4})([@#])([^;]*(?:;[^;]*)*);")

_TAGS = (
    Tag("232BAD", "[0-9]", "5"),
    Tag("SCNMOD", "[0238]", "0"),  # level, sense (presentation), continuous, host
    Tag("ORTSET", "[0-9]{1,6}", "3000"),  # milliseconds for a read; 0: for ever
    Tag("RRDENA", "[01]", "1"),
    Tag("RRDDUR", "[0-9]{1,5}", "1500"),  # milliseconds between reads of the same code
    Tag("AIDENA", "[01]", "0"),  # the AIM identifier before the data
    Tag("CPRENA", "[01]", "0"),  # a prefix
    Tag("CPRSET", "([0-9A-F]{2}){0,11}", ""),
    Tag("CSUENA", "[01]", "0"),  # a suffix
    Tag("CSUSET", "([0-9A-F]{2}){0,11}", ""),
    Tag("TSUENA", "[01]", "1"),  # a terminating suffix
    Tag("TSUSET", "([0-9A-F]{2}){0,2}", "0D"),
)
_MODES = {
    "0": TriggerMode.MANUAL,
    "2": TriggerMode.PRESENTATION,
    "3": TriggerMode.CONTINUOUS,
    "8": TriggerMode.HOST,
}


class Newland(TagReader):
    """A reader with unified commands, in the factory set to 9600 baud, the button, and CR at the end."""

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
        self._obey(command[1], command[2], command[3].split(";"))
        return end + 1

    def _obey(self, station: str, kind: str, tags: list[str]) -> None:
        permanently = kind == "@"
        body = b"".join(tag.encode("latin-1") + self._one(tag, permanently=permanently) + b";" for tag in tags)
        self._say(_ANSWER + f"{station}{kind}".encode() + body + _ETX)
        self._settings_changed(permanently=permanently)

    def _one(self, tag: str, *, permanently: bool) -> bytes:
        """Obey one tag; what comes after its echo."""
        if tag in {"SCNTRG1", "SCNTRG0"}:
            if tag == "SCNTRG1":
                self._trigger.start(by_host=True)
            else:
                self._trigger.stop()
            return _ACK
        if tag == "FACDEF":
            self._restore(None)
            return _ACK
        if tag.endswith("*"):
            parts = self._table.split(tag[:-1])
            return _ENQ if parts is None or parts[1] else self._table.values[parts[0]].encode() + _ACK
        outcome = self._table.put(tag)
        parts = self._table.split(tag)
        if outcome is Outcome.DONE and permanently and parts is not None:
            self._kept[parts[0]] = parts[1]
        return _ANSWERS[outcome]
