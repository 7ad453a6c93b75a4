"""Where a reader keeps its settings while it has no power."""

import json
import os
from pathlib import Path
from typing import Protocol

Settings = dict[str, str]


class SettingsMemory(Protocol):
    """Keeps one set of settings."""

    def load(self) -> Settings | None:
        """What was saved last; None if nothing ever was."""
        ...

    def save(self, settings: Settings) -> None:
        """Replace what was saved."""
        ...


class VolatileMemory:
    """Keeps settings for as long as this object lives: over power cycles of the reader, not over runs."""

    def __init__(self) -> None:
        self._settings: Settings | None = None

    def load(self) -> Settings | None:
        """What was saved last; None if nothing ever was."""
        return None if self._settings is None else dict(self._settings)

    def save(self, settings: Settings) -> None:
        """Replace what was saved."""
        self._settings = dict(settings)


class FileMemory:
    """Keeps settings in a JSON file, whole at any moment: a kill leaves the old or the new ones."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Settings | None:
        """What was saved last; None if nothing ever was.

        Raises:
            ValueError: if the file holds something else than a reader's settings.
        """
        try:
            found = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ValueError(f"{self._path} holds no settings of a barcode reader: it is no JSON") from error
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            raise ValueError(f"{self._path} holds no settings of a barcode reader: expected an object of strings")
        return found

    def save(self, settings: Settings) -> None:
        """Replace what was saved."""
        fresh = self._path.with_name(self._path.name + ".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(settings, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
