"""Leases of attached devices, so that two runs on one machine do not meet at one device.

A lease is a locked file. The lock ends with the process that holds it, however that ends, and what is written in the
file says who that is; a process that hangs holds it until ``expires``, after which another run may ask for it to end.
"""

import fcntl
import hashlib
import json
import os
import stat
import tempfile
import time
from pathlib import Path
from typing import IO

from authrig.errors import RigError

LONGEST_SECONDS = 4 * 3600.0
"""A run that takes longer than this is taken for one that hangs."""


def lease_folder() -> Path:
    """Where the leases of this user's runs are."""
    return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"authrig-leases-{os.getuid()}"


class Leases:
    """Takes leases in ``folder`` and gives them back with ``give_back``, or all in ``close``."""

    def __init__(self, folder: Path | None = None, seconds: float = LONGEST_SECONDS) -> None:
        self._folder = folder or lease_folder()
        self._seconds = seconds
        self._held: dict[str, IO[str]] = {}

    def take(self, device: str, identity: str) -> None:
        """Lease ``device``, which is recognised by ``identity``; a lease that this process holds already is kept.

        Raises:
            LeasedError: if another run has it.
            RigError: if leases cannot be written.
        """
        if identity in self._held:
            return
        path = self._folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}.json"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_ours(self._folder)
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600), "r+")
        except OSError as error:
            raise RigError(f"the lease of {device} cannot be written to {path}: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            with file:
                raise LeasedError(device, _holder(file), path) from error
        file.truncate(0)
        json.dump({"device": device, "pid": os.getpid(), "expires": time.time() + self._seconds}, file)
        file.flush()
        self._held[identity] = file

    def give_back(self, identity: str) -> None:
        """End a lease, if it is held."""
        file = self._held.pop(identity, None)
        if file is not None:
            file.close()

    def close(self) -> None:
        """End all leases."""
        for identity in tuple(self._held):
            self.give_back(identity)


def _check_ours(folder: Path) -> None:
    """Refuse a folder of another user's making: without XDG_RUNTIME_DIR its name in /tmp can be foretold.

    Raises:
        RigError: if it is one.
    """
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        why = "is no folder"
    elif found.st_uid != os.getuid():
        why = f"belongs to the user {found.st_uid}"
    elif found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        why = "can be written by others"
    else:
        return
    raise RigError(
        f"leases are kept in {folder}, which {why}: remove it, or set XDG_RUNTIME_DIR to a folder of your own"
    )


class LeasedError(RigError):
    """Another run has the device."""

    def __init__(self, device: str, holder: dict[str, object], path: Path) -> None:
        pid = holder.get("pid", "unknown")
        expires = holder.get("expires")
        since = f", since longer than a run takes: kill {pid}" if _is_past(expires) else ""
        super().__init__(f"{device} is leased to another run (process {pid}{since}; {path})")


def _is_past(expires: object) -> bool:
    return isinstance(expires, int | float) and expires < time.time()


def _holder(file: IO[str]) -> dict[str, object]:
    """Who has the lease; nothing where that is being written right now."""
    try:
        found = json.load(file)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
