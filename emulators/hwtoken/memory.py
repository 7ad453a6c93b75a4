"""What a token keeps without power: serial, seed, and the ids of the last challenges that it answered.

A file is replaced as a whole, so that a kill or a power cut at any write leaves the old contents or the new. The seed
stands in it readably: it belongs to an emulated token and protects nothing but tests.
"""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Protocol

import msgspec

from offline_qr import otq1

FORMAT = "authrig emulated token memory"
VERSION = 1
REPLAY_CACHE_SIZE = 32


class MemoryFault(Exception):  # noqa: N818 - as the token's screen calls it
    """The memory cannot be read or written; the sentence says which, what was expected and what was found."""


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


@dataclass(frozen=True, slots=True)
class Identity:
    """Which token this is, and its secret."""

    serial: str
    seed: bytes = field(repr=False)


class _Contents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    serial: str
    seed: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    shown: tuple[Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{2})*$")], ...]

    def __repr__(self) -> str:
        return f"_Contents(serial={self.serial!r}, ...)"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The checksum tells a file that rotted from a token that was provisioned with another seed."""

    format: str
    version: int
    sha256: str
    contents: msgspec.Raw


class TokenMemory:
    """The non-volatile memory of one token; empty until it is provisioned.

    Args:
        store: where it is kept; in RAM unless told otherwise.

    Raises:
        MemoryFault: if the store holds something that is no token memory. Such a file is left as it is.
    """

    def __init__(self, store: MemoryStore | None = None) -> None:
        self._store = store or RamStore()
        self._identity: Identity | None = None
        self._shown: tuple[bytes, ...] = ()
        data = self._store.load()
        if data is not None:
            self._restore(data)

    def __repr__(self) -> str:
        serial = self._identity.serial if self._identity else None
        return f"TokenMemory({self._store.name}, serial={serial!r})"

    @property
    def identity(self) -> Identity | None:
        """Serial and seed, None before provisioning."""
        return self._identity

    @property
    def serial(self) -> str | None:
        """The serial number, None before provisioning."""
        return self._identity.serial if self._identity else None

    @property
    def shown(self) -> tuple[bytes, ...]:
        """Ids of the last challenges whose codes were shown, oldest first."""
        return self._shown

    def provision(self, serial: str, seed: bytes) -> None:
        """Make this memory that of the token ``serial`` (visible ASCII) with ``seed`` (32 bytes).

        Raises:
            ValueError: if serial or seed are not as they must be, or the memory is another token's already.
            MemoryFault: if the store refuses; then nothing has changed.
        """
        otq1.derive_keys(serial, seed)  # the protocol knows which serials and seeds are fit
        identity = Identity(serial, bytes(seed))
        if self._identity is not None:
            if self._identity == identity:
                return
            raise ValueError(f"expected a memory without a token, found that of {self._identity.serial}")
        self._save(identity, ())

    def remember(self, challenge_id: bytes) -> bool:
        """Note that the code of ``challenge_id`` is about to be shown; True if it was noted before.

        Raises:
            ValueError: before provisioning.
            MemoryFault: if the store refuses; then nothing has changed.
        """
        if self._identity is None:
            raise ValueError("expected a provisioned memory, found an empty one")
        if challenge_id in self._shown:
            return True
        self._save(self._identity, (*self._shown, challenge_id)[-REPLAY_CACHE_SIZE:])
        return False

    def _save(self, identity: Identity, shown: tuple[bytes, ...]) -> None:
        contents = _Contents(identity.serial, identity.seed.hex(), tuple(challenge.hex() for challenge in shown))
        raw = msgspec.json.encode(contents)
        file = _File(FORMAT, VERSION, hashlib.sha256(raw).hexdigest(), msgspec.Raw(raw))
        self._store.save(msgspec.json.encode(file) + b"\n")
        self._identity, self._shown = identity, shown

    def _restore(self, data: bytes) -> None:
        try:
            contents = _parse(data)
            seed = bytes.fromhex(contents.seed)
            otq1.derive_keys(contents.serial, seed)
        except (ValueError, RecursionError) as problem:
            advice = "restore it from a copy, or move it away to begin with an empty token"
            raise MemoryFault(f"token memory {self._store.name} is damaged: {problem}; {advice}") from problem
        self._identity = Identity(contents.serial, seed)
        self._shown = tuple(bytes.fromhex(challenge) for challenge in contents.shown)


def _parse(data: bytes) -> _Contents:
    file = msgspec.json.decode(data, type=_File)
    if (file.format, file.version) != (FORMAT, VERSION):
        raise ValueError(f"expected {FORMAT!r} version {VERSION}, found {file.format!r} version {file.version}")
    if hashlib.sha256(file.contents).hexdigest() != file.sha256:
        raise ValueError("expected contents that match the checksum, found others")
    return msgspec.json.decode(file.contents, type=_Contents)
