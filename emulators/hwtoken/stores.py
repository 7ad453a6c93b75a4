"""Where a token's memory is kept: in RAM, or in a file that is replaced as a whole, so that no kill leaves half of one."""

import os
from pathlib import Path
from typing import Protocol


class MemoryFault(Exception):  # noqa: N818 - as the token's screen calls it
    """The memory cannot be read or written; the sentence says which, what was expected and what was found."""


class PowerLost(Exception):  # noqa: N818 - an event, no program error
    """The power went during a write: the old contents are kept, or the new, and the device is dark."""


class MemoryStore(Protocol):
    """Where the bytes are kept."""

    @property
    def name(self) -> str:
        """What to call the place in an error."""
        ...

    def load(self) -> bytes | None:
        """The bytes of the last ``save``, None if there was none. Raises MemoryFault."""
        ...

    def save(self, data: bytes) -> None:
        """Keep ``data``; once this returns, no power cut can lose it. Raises MemoryFault."""
        ...


class RamStore:
    """Lives as long as the object; for tests and throw-away tokens."""

    name = "in RAM"

    def __init__(self) -> None:
        self._data: bytes | None = None

    def load(self) -> bytes | None:
        """The bytes of the last ``save``."""
        return self._data

    def save(self, data: bytes) -> None:
        """Keep ``data``."""
        self._data = data


class Files(Protocol):
    """The file operations that ``FileStore`` is made of, each one a place where the power can go."""

    def read(self, path: Path) -> bytes:
        """All bytes of ``path``; FileNotFoundError if there is none."""
        ...

    def write(self, path: Path, data: bytes) -> None:
        """Create or overwrite ``path``, readable for its owner only."""
        ...

    def sync(self, path: Path) -> None:
        """Wait until the file, or the names in the directory, are on the disk."""
        ...

    def rename(self, path: Path, target: Path) -> None:
        """Put ``path`` in the place of ``target``."""
        ...


class SystemFiles:
    """The operating system's files."""

    def read(self, path: Path) -> bytes:
        """All bytes of ``path``."""
        return path.read_bytes()

    def write(self, path: Path, data: bytes) -> None:
        """Create or overwrite ``path``, readable for its owner only."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)

    def sync(self, path: Path) -> None:
        """Wait until the file, or the names in the directory, are on the disk."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, path: Path, target: Path) -> None:
        """Put ``path`` in the place of ``target``."""
        path.replace(target)


class FileStore:
    """One file, replaced as a whole by ``save``."""

    def __init__(self, path: Path, files: Files | None = None) -> None:
        self._path = path
        self._files = files or SystemFiles()

    @property
    def name(self) -> str:
        """The path."""
        return str(self._path)

    def load(self) -> bytes | None:
        """The file's bytes, None if there is no file."""
        try:
            return self._files.read(self._path)
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise MemoryFault(f"token memory {self.name}: cannot be read: {problem.strerror}") from problem

    def save(self, data: bytes) -> None:
        """Write beside the file, make that durable, put it in the file's place, make that durable."""
        fresh = self._path.with_name(f"{self._path.name}.new")
        try:
            self._files.write(fresh, data)
            self._files.sync(fresh)
            self._files.rename(fresh, self._path)
            self._files.sync(self._path.parent)
        except OSError as problem:
            raise MemoryFault(f"token memory {self.name}: cannot be written: {problem.strerror}") from problem
