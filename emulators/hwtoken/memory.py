"""What a token keeps without power (``contents.Contents``), and where.

A file is replaced as a whole, so that a kill or a power cut at any write leaves the old contents or the new. The seed
stands in it readably: it belongs to an emulated token and protects nothing but tests.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from emulators.hwtoken.contents import Contents
from emulators.hwtoken.stores import Files, FileStore, MemoryFault, MemoryStore, PowerLost, RamStore, SystemFiles
from offline_qr import otq1

__all__ = [
    "FileStore",
    "Files",
    "Identity",
    "MemoryFault",
    "MemoryStore",
    "PowerLost",
    "RamStore",
    "SystemFiles",
    "TokenMemory",
]

FORMAT = "authrig emulated token memory"
VERSION = 3
"""Version 1 had serial, seed and replay cache only, version 2 one public key; both are read, and written anew with the
next change."""
REPLAY_CACHE_SIZE = 32


@dataclass(frozen=True, slots=True)
class Identity:
    """Which token this is, and its secret."""

    serial: str
    seed: bytes = field(repr=False)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The checksum tells a file that rotted from a token that was provisioned with another seed."""

    format: str
    version: int
    sha256: str
    contents: msgspec.Raw


class TokenMemory:
    """The non-volatile memory of one token; empty until it is manufactured or provisioned.

    Args:
        store: where it is kept; in RAM unless told otherwise.

    Raises:
        MemoryFault: if the store holds something that is no token memory. Such a file is left as it is.
    """

    def __init__(self, store: MemoryStore | None = None) -> None:
        self._store = store or RamStore()
        self._contents: Contents | None = None
        self.before_write: Callable[[], None] | None = None
        """Called before each write; may raise PowerLost or MemoryFault in its place."""
        data = self._store.load()
        if data is not None:
            self._contents = self._parse(data)

    def __repr__(self) -> str:
        return f"TokenMemory({self._store.name}, serial={self.serial!r})"

    @property
    def contents(self) -> Contents:
        """Everything that is kept.

        Raises:
            ValueError: the memory is empty.
        """
        if self._contents is None:
            raise ValueError("expected a provisioned memory, found an empty one")
        return self._contents

    @property
    def identity(self) -> Identity | None:
        """Serial and seed, None before the seed is there."""
        if self._contents is None or self._contents.seed is None:
            return None
        return Identity(self._contents.serial, bytes.fromhex(self._contents.seed))

    @property
    def serial(self) -> str | None:
        """The serial number, None for an empty memory."""
        return self._contents.serial if self._contents else None

    @property
    def shown(self) -> tuple[bytes, ...]:
        """Ids of the last challenges whose codes were shown, oldest first."""
        return tuple(bytes.fromhex(challenge) for challenge in self._contents.shown) if self._contents else ()

    def provision(self, serial: str, seed: bytes) -> None:
        """Make this memory that of the token ``serial`` (visible ASCII) with ``seed`` (32 bytes).

        Raises:
            ValueError: if serial or seed are not as they must be, or the memory is another token's already.
            MemoryFault: if the store refuses; then nothing has changed.
        """
        otq1.derive_keys(serial, seed)  # the protocol knows which serials and seeds are fit
        if self._contents is not None:
            if self.identity == Identity(serial, bytes(seed)):
                return
            if self._contents.serial == serial and self._contents.seed is None and not self._contents.zeroised:
                self.update(seed=seed.hex())
                return
            raise ValueError(f"expected a memory without a token, found that of {self._contents.serial}")
        self._save(Contents(serial, seed.hex()))

    def manufacture(self, serial: str, factory_key: bytes | None = None, verify_key: bytes | None = None) -> None:
        """Make this memory that of the token ``serial`` without a seed, to be activated by its user.

        Args:
            serial: 1 to 64 visible ASCII characters.
            factory_key: its X25519 private key (32 bytes), for activation by HPKE; or None.
            verify_key: the server's Ed25519 public key (32 bytes), so that it takes signed messages only; or None.

        Raises:
            ValueError: if one of them is not as it must be, or the memory is a token's already.
            MemoryFault: if the store refuses; then nothing has changed.
        """
        otq1.key_id(serial)
        for key in (factory_key, verify_key):
            if key is not None and len(key) != 32:
                raise ValueError(f"expected a key of 32 bytes, found {len(key)}")
        if self._contents is not None:
            raise ValueError(f"expected a memory without a token, found that of {self._contents.serial}")
        self._save(
            Contents(
                serial,
                factory_key=factory_key.hex() if factory_key else None,
                verify_key=verify_key.hex() if verify_key else None,
                factory_verify_key=verify_key.hex() if verify_key else None,
            )
        )

    def update(self, **changes: Any) -> None:
        """Keep the contents with ``changes``, all of them or none; once this returns, no power cut can undo them.

        Raises:
            ValueError: the memory is empty.
            MemoryFault: if the store refuses; then nothing has changed.
        """
        self._save(msgspec.structs.replace(self.contents, **changes))

    def remember(self, challenge_id: bytes, **changes: Any) -> bool:
        """Note, together with ``changes``, that the code of ``challenge_id`` is about to be shown; True if it was before.

        Raises:
            ValueError: the memory is empty.
            MemoryFault: if the store refuses; then nothing has changed.
        """
        shown = self.contents.shown
        known = challenge_id.hex() in shown
        if not known:
            changes["shown"] = (*shown, challenge_id.hex())[-REPLAY_CACHE_SIZE:]
        if changes:
            self.update(**changes)
        return known

    def wipe(self) -> None:
        """Erase all but what the maker put in: the token is as new, and can be activated again.

        Raises:
            ValueError: the memory is empty.
            MemoryFault: if the store refuses; then nothing has changed.
        """
        kept = self.contents
        makers = kept.factory_verify_key
        self._save(
            Contents(
                kept.serial, factory_key=kept.factory_key, verify_key=makers, factory_verify_key=makers, rtc=kept.rtc
            )
        )

    def zeroise(self) -> None:
        """Erase every key for good, the maker's too: only the serial is left.

        The circuit that does so has a charge of its own, so no empty battery stops it.

        Raises:
            ValueError: the memory is empty.
            MemoryFault: if the store refuses; then nothing has changed.
        """
        self._keep(Contents(self.contents.serial, zeroised=True))

    def _save(self, contents: Contents) -> None:
        if self.before_write is not None:
            self.before_write()
        self._keep(contents)

    def _keep(self, contents: Contents) -> None:
        raw = msgspec.json.encode(contents)
        try:
            msgspec.json.decode(raw, type=Contents)
        except msgspec.ValidationError as problem:
            # Values are checked when they are read, so what could not be read again is never written.
            raise MemoryFault(f"token memory {self._store.name}: cannot keep this: {problem}") from problem
        file = _File(FORMAT, VERSION, hashlib.sha256(raw).hexdigest(), msgspec.Raw(raw))
        try:
            self._store.save(msgspec.json.encode(file) + b"\n")
        except PowerLost:
            # What counts from the next boot on is what the store has: the old contents or the new.
            kept = self._store.load()
            self._contents = self._parse(kept) if kept is not None else None
            raise
        self._contents = contents

    def _parse(self, data: bytes) -> Contents:
        try:
            return _parse(data)
        except (ValueError, RecursionError) as problem:
            advice = "restore it from a copy, or move it away to begin with an empty token"
            raise MemoryFault(f"token memory {self._store.name} is damaged: {problem}; {advice}") from problem


def _parse(data: bytes) -> Contents:
    file = msgspec.json.decode(data, type=_File)
    if file.format != FORMAT or not 1 <= file.version <= VERSION:
        raise ValueError(f"expected {FORMAT!r} version {VERSION}, found {file.format!r} version {file.version}")
    if hashlib.sha256(file.contents).hexdigest() != file.sha256:
        raise ValueError("expected contents that match the checksum, found others")
    contents = msgspec.json.decode(file.contents, type=Contents)
    if file.version < 3 and contents.label is None:
        # Before its first activation, a token's one public key can only be the maker's.
        contents = msgspec.structs.replace(contents, factory_verify_key=contents.verify_key)
    return contents
