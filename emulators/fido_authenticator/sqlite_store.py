"""A key's memory in a SQLite file."""

import os
import sqlite3
from pathlib import Path
from typing import Any

from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.status import CtapError
from emulators.fido_authenticator.store import (
    Change,
    Delete,
    Erase,
    Put,
    Remove,
    Save,
    StoreError,
    account_of,
    hash_rp_id,
)

_APPLICATION_ID = 0x46494451
_VERSIONS = (
    """
CREATE TABLE records (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE credentials (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    rp_id TEXT NOT NULL,
    account BLOB,
    body BLOB NOT NULL,
    UNIQUE (rp_id, account)
) STRICT;
""",
    # Credential management asks for the credentials of a hash.
    """
ALTER TABLE credentials ADD COLUMN rp_id_hash BLOB NOT NULL DEFAULT x'';
UPDATE credentials SET rp_id_hash = rp_id_hash(rp_id);
CREATE INDEX credentials_by_hash ON credentials (rp_id_hash);
""",
)
"""What turns an empty file into version 1, a file of version 1 into version 2, and so on. None ever changes."""


class SqliteStore:
    """Remembers in the file ``path``, which one process uses at a time; a new file is readable by its owner only.

    A file that an older version wrote is brought up to date first, all at once or not at all.

    A commit survives the process being killed at any instruction. (After a power cut of the machine itself the file
    is consistent, but the last commits may be missing: they are not flushed to the disk one by one.)

    Raises:
        StoreError: if the file is in use, damaged, no key file, or written by a newer version. It is then left as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # Private from the first instant: sqlite would create it for everybody that the umask allows.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"key file {path}: cannot be opened: {error}") from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise StoreError(f"key file {path}: another process is using it") from error
            raise StoreError(f"key file {path}: expected a key file, found damage: {error}") from error
        except StoreError:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        # Look before changing anything: a file that is not ours must stay byte for byte as it is.
        ((application_id,),) = execute("PRAGMA application_id")
        ((version,),) = execute("PRAGMA user_version")
        ((tables,),) = execute("SELECT count(*) FROM sqlite_schema")
        if tables and application_id != _APPLICATION_ID:
            raise StoreError(f"key file {self.path}: expected a key file, found some other SQLite database")
        if version > len(_VERSIONS):
            raise StoreError(
                f"key file {self.path}: expected version {len(_VERSIONS)} or older, found version {version}; "
                "use the newer Authrig that wrote it"
            )
        ((verdict,),) = execute("PRAGMA quick_check(1)")
        if verdict != "ok":
            raise StoreError(f"key file {self.path}: expected a key file, found damage: {verdict}")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")
        if version < len(_VERSIONS):
            self._bring_up_to_date(version)
        self._count: int = execute("SELECT count(*) FROM credentials WHERE account IS NOT NULL").fetchone()[0]

    def _bring_up_to_date(self, version: int) -> None:
        self._connection.create_function("rp_id_hash", 1, hash_rp_id, deterministic=True)
        try:
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {''.join(_VERSIONS[version:])} PRAGMA application_id = {_APPLICATION_ID};"
                f" PRAGMA user_version = {len(_VERSIONS)}; COMMIT;"
            )
        except sqlite3.Error as error:
            raise StoreError(
                f"key file {self.path}: cannot be brought from version {version} to {len(_VERSIONS)}: {error}"
            ) from error

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"key file {self.path}: cannot be read: {error}") from error

    def get(self, name: str) -> bytes | None:
        """The record ``name``."""
        rows = self._rows("SELECT value FROM records WHERE name = ?", name)
        return rows[0][0] if rows else None

    def names(self) -> tuple[str, ...]:
        """The names of all records, sorted."""
        return tuple(name for (name,) in self._rows("SELECT name FROM records ORDER BY name"))

    def credential(self, credential_id: bytes) -> Credential | None:
        """The credential with this id."""
        rows = self._rows("SELECT id, body FROM credentials WHERE id = ?", credential_id)
        return self._read(*rows[0]) if rows else None

    def credentials(self, rp_id: str) -> tuple[Credential, ...]:
        """The credentials of one relying party, newest first."""
        rows = self._rows("SELECT id, body FROM credentials WHERE rp_id = ? ORDER BY place DESC", rp_id)
        return tuple(self._read(*row) for row in rows)

    def _read(self, credential_id: bytes, body: bytes) -> Credential:
        try:
            return Credential.from_bytes(credential_id, body)
        except (CtapError, KeyError, TypeError) as error:
            raise StoreError(f"key file {self.path}: credential {credential_id.hex()} is damaged") from error

    def rp_ids(self, *, discoverable: bool = False) -> tuple[str, ...]:
        """The relying parties that have credentials here, or ``discoverable`` ones, sorted."""
        rows = self._rows(
            "SELECT DISTINCT rp_id FROM credentials WHERE account IS NOT NULL OR NOT ? ORDER BY rp_id", discoverable
        )
        return tuple(rp_id for (rp_id,) in rows)

    def rp_id(self, rp_id_hash: bytes) -> str | None:
        """The relying party with credentials here whose id has this SHA-256."""
        rows = self._rows("SELECT rp_id FROM credentials WHERE rp_id_hash = ? LIMIT 1", rp_id_hash)
        return rows[0][0] if rows else None

    def count(self) -> int:
        """How many discoverable credentials there are."""
        # Kept, as counting anew would take longer the more there are.
        return self._count

    def commit(self, *changes: Change) -> None:
        """Make all ``changes``, in order, or none.

        Raises:
            StoreError: if the file cannot be written, for instance because the disk is full.
        """
        count = self._count
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for change in changes:
                count = self._apply(change, count)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise StoreError(f"key file {self.path}: cannot be written: {error}") from error
        self._count = count

    def _apply(self, change: Change, count: int) -> int:
        """Make one change where there are ``count`` discoverable credentials; returns how many there are then."""
        execute = self._connection.execute
        match change:
            case Put(name, value):
                execute("INSERT OR REPLACE INTO records VALUES (?, ?)", (name, value))
            case Remove(name):
                execute("DELETE FROM records WHERE name = ?", (name,))
            case Save(credential):
                account = account_of(credential)
                count -= self._forget(
                    "DELETE FROM credentials WHERE rp_id = ? AND account = ? AND id <> ? RETURNING account",
                    (credential.rp_id, account, credential.id),
                )
                before = execute("SELECT account FROM credentials WHERE id = ?", (credential.id,)).fetchone()
                count += (account is not None) - (before is not None and before[0] is not None)
                execute(
                    "INSERT INTO credentials (id, rp_id, rp_id_hash, account, body) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (id) DO UPDATE SET account = excluded.account, body = excluded.body",
                    (credential.id, credential.rp_id, hash_rp_id(credential.rp_id), account, credential.to_bytes()),
                )
            case Delete(credential_id):
                count -= self._forget("DELETE FROM credentials WHERE id = ? RETURNING account", (credential_id,))
            case Erase():
                execute("DELETE FROM records")
                execute("DELETE FROM credentials")
                count = 0
        return count

    def _forget(self, delete: str, values: tuple[object, ...]) -> int:
        """Run ``delete``, which returns the accounts; returns how many of the credentials were discoverable."""
        return sum(account is not None for (account,) in self._connection.execute(delete, values).fetchall())

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
