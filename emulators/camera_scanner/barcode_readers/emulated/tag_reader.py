"""What readers share whose settings are tags with values: Honeywell's menu commands, Newland's unified ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulators.camera_scanner.barcode_readers.emulated.reader import SerialReader
from emulators.camera_scanner.barcode_readers.emulated.tags import BAUD_RATES, Tag, TagTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emulators.camera_scanner.barcode_readers.emulated.memory import Settings, SettingsMemory
    from emulators.env import Env


class TagReader(SerialReader):
    """A reader with a table of ``tags``, of which ``232BAD`` is the baud rate; only some changes are kept without power."""

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
