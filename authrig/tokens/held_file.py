"""One file that one process holds at a time, and replaces as a whole."""

import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import Self

from authrig.errors import RigError

MAX_BYTES = 16 * 2**20
_TRIES = 5
"""How often to look again where a file was replaced between opening and locking it."""


class HeldFile:
    """An open token file. The lock is on the file itself: there is no second file that could be forgotten or be left behind.

    A replacement is locked before it takes the old one's name, so at no moment may anyone else open it.
    """

    def __init__(self, path: Path, descriptor: int, name: str) -> None:
        self._path = path
        self._descriptor = descriptor
        self.name = name

    @classmethod
    def create(cls, path: Path, data: bytes) -> Self:
        """Make the new file ``path`` with ``data`` in it: all of it, or there is no file.

        Raises:
            RigError: if it exists, or cannot be made.
        """
        fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            descriptor = _write(fresh, data)
            try:
                os.link(fresh, path)
                _sync_folder(path)
            except BaseException:
                os.close(descriptor)
                raise
            finally:
                fresh.unlink(missing_ok=True)
        except FileExistsError as error:
            raise RigError(f"token file {path}: it exists already, and a token is never overwritten") from error
        except (OSError, ValueError) as error:
            raise RigError(f"token file {path}: cannot be made: {_why(error)}") from error
        return cls(path.resolve(), descriptor, str(path))

    @classmethod
    def open(cls, path: Path) -> Self:
        """Hold the file ``path``.

        Raises:
            RigError: if there is none, it is no file, it cannot be read, or another process holds it.
        """
        try:
            target = path.resolve()
            for _ in range(_TRIES):
                # Not to wait for the other end of a pipe that someone calls a token.
                descriptor = os.open(target, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
                try:
                    if _lock(descriptor, target, path):
                        return cls(target, descriptor, str(path))
                except BaseException:
                    os.close(descriptor)
                    raise
                os.close(descriptor)
        except FileNotFoundError as error:
            raise RigError(f"token file {path}: there is none; `authrig token new {path}` makes a token") from error
        except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links in a circle
            raise RigError(f"token file {path}: cannot be opened: {_why(error)}") from error
        raise RigError(f"token file {path}: another process is using it")

    def read(self) -> bytes:
        """All that is in it.

        Raises:
            RigError: if it cannot be read, or is too large to be a token.
        """
        try:
            data = os.pread(self._descriptor, MAX_BYTES + 1, 0)
        except OSError as error:
            raise RigError(f"token file {self.name}: cannot be read: {_why(error)}") from error
        if len(data) > MAX_BYTES:
            raise RigError(f"token file {self.name}: expected up to {MAX_BYTES} bytes, found more")
        return data

    def replace(self, data: bytes) -> None:
        """Put ``data`` in its place; once this returns no power cut can undo it, and before it nothing has changed.

        Raises:
            OSError: if it cannot be written, is marked as read-only, or would be too large to be read again.
        """
        if len(data) > MAX_BYTES:
            raise OSError(errno.EFBIG, f"expected up to {MAX_BYTES} bytes, found {len(data)}")
        if not os.fstat(self._descriptor).st_mode & 0o222:
            raise PermissionError(errno.EACCES, "it is read-only")
        fresh = self._path.with_name(f"{self._path.name}.new")
        descriptor = _write(fresh, data)
        try:
            fresh.replace(self._path)
        except BaseException:
            os.close(descriptor)
            fresh.unlink(missing_ok=True)
            raise
        os.close(self._descriptor)
        self._descriptor = descriptor
        _sync_folder(self._path)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)


def _lock(descriptor: int, target: Path, named: Path) -> bool:
    """Lock the open file; False where another one has its name by now."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        kind = "a directory" if stat.S_ISDIR(found.st_mode) else "a device or a pipe"
        raise RigError(f"token file {named}: expected a file, found {kind}")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RigError(f"token file {named}: another process is using it") from error
    return os.path.samestat(found, target.stat())


def _write(path: Path, data: bytes) -> int:
    """A durable file for its owner only, locked; returns its descriptor."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    except BaseException:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise
    return descriptor


def _sync_folder(path: Path) -> None:
    """Make the names in the folder of ``path`` durable."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
