"""What a key remembers when the power is off: named records and credentials.

Changes are handed over in batches: after ``commit`` returns, all of them are kept; if the process is killed before, none
is. Nothing else writes, so every state that a kill can leave behind is one that a commit made.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from emulators.fido_authenticator.credentials import Credential


class StoreError(Exception):
    """A key file cannot be used; the sentence names the file, what was expected and what was found."""


@dataclass(frozen=True, slots=True)
class Put:
    """Keep ``value`` under ``name``."""

    name: str
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Remove:
    """Forget the record ``name``, if there is one."""

    name: str


@dataclass(frozen=True, slots=True)
class Save:
    """Keep ``credential``: in the place of the one with the same id, else as the newest.

    A discoverable credential takes the place of an older one for the same relying party and user.
    """

    credential: Credential


@dataclass(frozen=True, slots=True)
class Delete:
    """Forget the credential with this id, if there is one."""

    credential_id: bytes


@dataclass(frozen=True, slots=True)
class Erase:
    """Forget everything."""


Change = Put | Remove | Save | Delete | Erase


class Store(Protocol):
    """The memory of one key."""

    def get(self, name: str) -> bytes | None:
        """The record ``name``."""
        ...

    def names(self) -> tuple[str, ...]:
        """The names of all records, sorted."""
        ...

    def credential(self, credential_id: bytes) -> Credential | None:
        """The credential with this id."""
        ...

    def credentials(self, rp_id: str) -> tuple[Credential, ...]:
        """The credentials of one relying party, newest first."""
        ...

    def rp_ids(self, *, discoverable: bool = False) -> tuple[str, ...]:
        """The relying parties that have credentials here, or ``discoverable`` ones, sorted."""
        ...

    def rp_id(self, rp_id_hash: bytes) -> str | None:
        """The relying party with credentials here whose id has this SHA-256."""
        ...

    def count(self) -> int:
        """How many discoverable credentials there are."""
        ...

    def commit(self, *changes: Change) -> None:
        """Make all ``changes``, in order, or none."""
        ...

    def close(self) -> None:
        """Let go of the file, if there is one."""
        ...


def dump(store: Store) -> tuple[dict[str, bytes | None], dict[str, tuple[Credential, ...]]]:
    """All that ``store`` holds, to compare before and after."""
    return (
        {name: store.get(name) for name in store.names()},
        {rp_id: store.credentials(rp_id) for rp_id in store.rp_ids()},
    )


class MemoryStore:
    """Remembers until the process ends."""

    def __init__(self) -> None:
        self._records: dict[str, bytes] = {}
        self._credentials: dict[bytes, Credential] = {}
        self._by_rp: dict[str, dict[bytes, None]] = {}
        self._by_account: dict[tuple[str, bytes], bytes] = {}
        self._by_hash: dict[bytes, str] = {}

    def get(self, name: str) -> bytes | None:
        """The record ``name``."""
        return self._records.get(name)

    def names(self) -> tuple[str, ...]:
        """The names of all records, sorted."""
        return tuple(sorted(self._records))

    def credential(self, credential_id: bytes) -> Credential | None:
        """The credential with this id."""
        return self._credentials.get(credential_id)

    def credentials(self, rp_id: str) -> tuple[Credential, ...]:
        """The credentials of one relying party, newest first."""
        return tuple(self._credentials[found] for found in reversed(self._by_rp.get(rp_id, {})))

    def rp_ids(self, *, discoverable: bool = False) -> tuple[str, ...]:
        """The relying parties that have credentials here, or ``discoverable`` ones, sorted."""
        return tuple(sorted({rp_id for rp_id, _ in self._by_account} if discoverable else self._by_rp))

    def rp_id(self, rp_id_hash: bytes) -> str | None:
        """The relying party with credentials here whose id has this SHA-256."""
        return self._by_hash.get(rp_id_hash)

    def count(self) -> int:
        """How many discoverable credentials there are."""
        return len(self._by_account)

    def commit(self, *changes: Change) -> None:
        """Make all ``changes`` in order; none of them can fail."""
        for change in changes:
            match change:
                case Put(name, value):
                    self._records[name] = value
                case Remove(name):
                    self._records.pop(name, None)
                case Save(credential):
                    self._save(credential)
                case Delete(credential_id):
                    self._delete(credential_id)
                case Erase():
                    self._records.clear()
                    self._credentials.clear()
                    self._by_rp.clear()
                    self._by_account.clear()
                    self._by_hash.clear()

    def close(self) -> None:
        """There is no file."""

    def _save(self, credential: Credential) -> None:
        before = self._credentials.get(credential.id)
        if before is not None:
            self._by_account.pop((before.rp_id, account_of(before) or b""), None)
        account = account_of(credential)
        if account is not None:
            older = self._by_account.get((credential.rp_id, account))
            if older is not None and older != credential.id:
                self._delete(older)
            self._by_account[credential.rp_id, account] = credential.id
        self._credentials[credential.id] = credential
        self._by_rp.setdefault(credential.rp_id, {})[credential.id] = None
        self._by_hash[hash_rp_id(credential.rp_id)] = credential.rp_id

    def _delete(self, credential_id: bytes) -> None:
        credential = self._credentials.pop(credential_id, None)
        if credential is None:
            return
        account = account_of(credential)
        if account is not None:
            del self._by_account[credential.rp_id, account]
        siblings = self._by_rp[credential.rp_id]
        del siblings[credential_id]
        if not siblings:
            del self._by_rp[credential.rp_id]
            del self._by_hash[hash_rp_id(credential.rp_id)]


def account_of(credential: Credential) -> bytes | None:
    """The user id for which there is at most one credential per relying party; None if there may be many."""
    return credential.user.id if credential.discoverable and credential.user else None


def hash_rp_id(rp_id: str) -> bytes:
    """The SHA-256 of a relying party's id."""
    return sha256(rp_id.encode()).digest()
