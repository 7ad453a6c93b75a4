"""What readers share whose settings are tags with values: Honeywell's menu commands, Newland's unified ones.

A tag is three letters for a group and three for a setting in it. Commands are separated by ``;``; after ``,`` the group is
the one before. In the answer each has ACK, ENQ (no such tag) or NAK (no such value) directly before the punctuation. A
question mark or the like in place of a value asks for one setting, in place of a setting for all of its group, and
alone for all. Sources: Honeywell 1200g user's guide pages 9-1 to 9-3, N431x page 9-2; Newland HR42 user guide pages 15 and 16.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from emulators.camera_scanner.barcode_readers.emulated.reader import SerialReader
from emulators.camera_scanner.barcode_readers.emulated.tags import BAUD_RATES, Outcome, Question, Tag, TagTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from emulators.camera_scanner.barcode_readers.emulated.memory import Settings, SettingsMemory
    from emulators.env import Env

ACK, ENQ, NAK = b"\x06", b"\x05", b"\x15"
_STATUS = {Outcome.DONE: ACK, Outcome.UNKNOWN: ENQ, Outcome.REFUSED: NAK}
_GROUP_LETTERS = 3


class TagReader(SerialReader):
    """A reader with a table of ``tags``, of which ``232BAD`` is the baud rate; only some changes are kept without power."""

    questions: ClassVar[Mapping[str, Question]]
    """The characters that ask."""
    no_such_question: ClassVar[bytes] = ENQ
    """What is answered to a question about a tag that there is not."""

    def __init__(self, env: Env, memory: SettingsMemory | None, tags: Sequence[Tag]) -> None:
        self._table = TagTable(tuple(tags))
        self._kept: Settings = {}
        super().__init__(env, memory)

    def _restore(self, saved: Settings | None) -> None:
        self._table.reset(saved)
        self._kept = dict(self._table.values)

    def _saved(self) -> Settings:
        return dict(self._kept)

    def _wanted_baud_rate(self) -> int:
        return BAUD_RATES[self._table.values["232BAD"]]

    def _special(self, command: str) -> bytes | None:
        """Obey a command that is no setting; what is answered in place of it, None if it is none of those."""
        raise NotImplementedError

    def _answers(self, text: str, *, permanently: bool) -> bytes:
        """Obey ``text``, in which the letters of tags are capitals, and answer all of it."""
        answers = []
        for group in text.split(";"):
            first, *others = group.split(",")
            pieces = [(first, first), *((first[:_GROUP_LETTERS] + piece, piece) for piece in others)]
            answers.append(b",".join(self._answer(command, echo, permanently=permanently) for command, echo in pieces))
        return b";".join(answers)

    def _answer(self, command: str, echo: str, *, permanently: bool) -> bytes:
        special = self._special(command)
        if special is not None:
            return special
        if command[-1:] in self.questions:
            told = self._tell(command[:-1], command[-1])
            return told if len(echo) == len(command) else told[_GROUP_LETTERS:]
        outcome = self._table.put(command)
        parts = self._table.split(command)
        if outcome is Outcome.DONE and permanently and parts is not None:
            self._kept[parts[0]] = parts[1]
        return echo.encode("latin-1") + _STATUS[outcome]

    def _tell(self, asked: str, question: str) -> bytes:
        """One setting, a group, or all."""
        names = [name for name in self._table.values if name.startswith(asked)]
        if not names or (len(asked) not in (0, _GROUP_LETTERS) and names != [asked]):
            return f"{asked}{question}".encode("latin-1") + self.no_such_question
        groups = []
        for _, members in groupby(sorted(names), lambda name: name[:_GROUP_LETTERS]):
            told = [name + self._table.ask(name, self.questions[question]) for name in members]
            pieces = [told[0], *(one[_GROUP_LETTERS:] for one in told[1:])]
            groups.append(b",".join(piece.encode("latin-1") + ACK for piece in pieces))
        return b";".join(groups)
