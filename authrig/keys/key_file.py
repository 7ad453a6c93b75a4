"""A key as one file: what it was made as (a profile, perhaps a seed), and all that it remembers."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from authrig.errors import RigError
from emulators.env import Env, SeededRandom, SystemClock, SystemRandom
from emulators.fido_authenticator.authenticator import Authenticator, check_implemented
from emulators.fido_authenticator.profile import DEFAULT, Profile, ProfileError, load
from emulators.fido_authenticator.sqlite_store import SqliteStore
from emulators.fido_authenticator.store import Change, Erase, Put, Store, StoreError
from emulators.fido_authenticator.user import User

_PROFILE = "factory.profile"
_SEED = "factory.seed"
_RUNS = "factory.runs"
_FACTORY = (_PROFILE, _SEED, _RUNS)


class _FactoryStore(SqliteStore):
    """A store whose factory records outlive a reset: a reset key is still the same product."""

    def commit(self, *changes: Change) -> None:
        """Make all ``changes``, in order, or none; whatever is erased, the factory records stay."""
        kept: list[Change] = []
        if any(isinstance(change, Erase) for change in changes):
            kept = [Put(name, value) for name in _FACTORY if (value := self.get(name)) is not None]
        super().commit(*changes, *kept)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """An open key file; close it when done, for one process uses it at a time."""

    path: Path
    profile: Profile
    store: Store
    seeded: bool

    @classmethod
    def create(cls, path: Path, profile: str = DEFAULT, seed: int | None = None) -> Self:
        """Make a new key of ``profile`` in the new file ``path``; with a ``seed`` its secrets are predictable.

        It leaves the factory with its own secrets, those of its attestation included.

        Raises:
            RigError: if the file exists or cannot be made, or the profile cannot be used.
        """
        made = load_profile(profile)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
            store = _FactoryStore(path)
            records = [Put(_PROFILE, profile.encode())]
            if seed is not None:
                records += [Put(_SEED, str(seed).encode()), Put(_RUNS, b"0")]
            store.commit(*records)
            key = cls(path, made, store, seed is not None)
            _ = key.authenticator().authority.batch
        except FileExistsError as error:
            raise RigError(f"key file {path}: it exists already, and a key is never overwritten") from error
        except OSError as error:
            raise RigError(f"key file {path}: cannot be made: {error.strerror}") from error
        except StoreError as error:
            raise RigError(str(error)) from error
        return key

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the key in ``path``.

        A file from before keys had profiles holds a key of the default one.

        Raises:
            RigError: if there is no such file, it is damaged, in use, no key file or from a newer version; it is left
                as it is.
        """
        try:
            # An empty file would pass for a new database.
            size = path.stat().st_size
        except OSError as error:
            raise RigError(
                f"key file {path}: {error.strerror}; `authrig key new {path}` makes a key"
                if isinstance(error, FileNotFoundError)
                else f"key file {path}: {error.strerror}"
            ) from error
        if size == 0:
            raise RigError(f"key file {path}: expected a key file, found an empty file")
        try:
            store = _FactoryStore(path)
            name = store.get(_PROFILE)
            seeded = store.get(_SEED) is not None
            return cls(path, load_profile(DEFAULT if name is None else name.decode(errors="replace")), store, seeded)
        except StoreError as error:
            raise RigError(str(error)) from error
        except RigError as error:
            store.close()
            raise RigError(f"key file {path}: {error}") from error

    def authenticator(self, user: User | None = None) -> Authenticator:
        """The key itself, powered up for a run of its own.

        Raises:
            RigError: if the file cannot be written.
        """
        try:
            return Authenticator(self._env(self._next_run()), self.profile, self.store, user)
        except StoreError as error:
            raise RigError(str(error)) from error

    def inspect(self) -> Authenticator:
        """The key, powered up only to be looked at: a seeded key's runs go on as if nobody had looked.

        Raises:
            RigError: if the file cannot be read.
        """
        try:
            return Authenticator(self._env("inspection"), self.profile, self.store)
        except StoreError as error:
            raise RigError(str(error)) from error

    def _next_run(self) -> str:
        """The name of the run that begins; no two runs of a seeded key have the same."""
        if not self.seeded:
            return ""
        runs = int(self.store.get(_RUNS) or b"0")
        self.store.commit(Put(_RUNS, str(runs + 1).encode()))
        return f"run {runs}"

    def _env(self, stream: str) -> Env:
        """The machine's clock; each ``stream`` of a seeded key draws for itself, so that no draw comes twice."""
        seed = self.store.get(_SEED)
        return Env(SystemClock(), SystemRandom() if seed is None else SeededRandom(seed.decode(), stream))

    def close(self) -> None:
        """Let go of the file."""
        self.store.close()


def load_profile(name: str) -> Profile:
    """The profile ``name``, if the emulator can be it.

    Raises:
        RigError: if there is no such profile, or it promises what is not implemented.
    """
    try:
        profile = load(name)
        check_implemented(profile)
    except ProfileError as error:
        raise RigError(str(error)) from error
    return profile
