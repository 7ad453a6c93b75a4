"""Processes that write a key file and are killed, and the check of what they leave behind.

Run as a program, so that its children start from a process that has imported everything and has one thread only.
"""

import os
import random
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.messages import UserEntity
from emulators.fido_authenticator.sqlite_store import SqliteStore
from emulators.fido_authenticator.store import Change, Delete, Erase, MemoryStore, Put, Remove, Save, dump

NUMBER = "number"
_RECORDS = ("signature_counter", "pin", "pin_retries", "large_blobs", "bio/1", "bio/2", "device_key")
_VERSION_1 = """
CREATE TABLE records (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE credentials (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    rp_id TEXT NOT NULL,
    account BLOB,
    body BLOB NOT NULL,
    UNIQUE (rp_id, account)
) STRICT;
PRAGMA application_id = 1179206737;
PRAGMA user_version = 1;
"""


def write_version_1(path: Path, count: int) -> MemoryStore:
    """A key file as the first version wrote it, with ``count`` credentials; returns what it must hold later."""
    expected = MemoryStore()
    connection = sqlite3.connect(path)
    connection.executescript(_VERSION_1)
    connection.execute("INSERT INTO records VALUES ('signature_counter', x'01')")
    expected.commit(Put("signature_counter", b"\x01"))
    for number in range(count):
        user = UserEntity(bytes([number]), f"user {number}")
        credential = Credential(
            bytes([1, number]),
            f"{number % 3}.example",
            -7,
            b"k",
            user,
            discoverable=True,
            extensions={"credProtect": 2},
        )
        connection.execute(
            "INSERT INTO credentials (id, rp_id, account, body) VALUES (?, ?, ?, ?)",
            (credential.id, credential.rp_id, user.id, credential.to_bytes()),
        )
        expected.commit(Save(credential))
    connection.commit()
    connection.close()
    return expected


def batch(number: int) -> list[Change]:
    """The changes of commit ``number``: records of every kind, and credentials made, updated, replaced and deleted."""
    draw = random.Random(number)  # noqa: S311 - a history, not secrets
    changes: list[Change] = [Put(NUMBER, number.to_bytes(8))]
    for _ in range(draw.randrange(4)):
        credential = Credential(
            bytes([draw.randrange(9)]),
            "example.com",
            -7,
            draw.randbytes(32),
            UserEntity(bytes([draw.randrange(3)]), f"name {number}"),
            discoverable=draw.random() < 0.8,
            extensions={"credBlob": draw.randbytes(32)},
        )
        name = draw.choice(_RECORDS)
        changes += draw.choice(
            [
                [Save(credential), Put("signature_counter", number.to_bytes(4))],
                [Delete(credential.id)],
                [Put(name, draw.randbytes(draw.choice((1, 32, 4096))))],
                [Remove(name)],
            ]
        )
    if draw.random() < 0.05:
        changes = [Erase(), *changes]
    return changes


def _write(path: Path, acknowledge: Callable[[int], object]) -> None:
    store = SqliteStore(path)
    number = int.from_bytes(store.get(NUMBER) or b"")
    while True:
        number += 1
        store.commit(*batch(number))
        acknowledge(number)


class KilledChild:
    """A process that writes ``path``; it kills itself at ``statement`` if that is given."""

    def __init__(self, path: Path, statement: int | None = None) -> None:
        reader, writer = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            os.close(reader)
            if statement is not None:
                _die_at(statement)
            _write(path, lambda number: os.write(writer, number.to_bytes(8)))
        os.close(writer)
        self._reader = os.fdopen(reader, "rb")

    def acknowledgements(self) -> Iterator[int]:
        """What the process says before it is killed."""
        with self._reader:
            while len(data := self._reader.read(8)) == 8:
                yield int.from_bytes(data)
        _, status = os.waitpid(self.process, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def _die_at(statement: int) -> None:
    """Let every SQL statement from now on count, those that open the file too, and die before number ``statement``."""
    connect, seen = sqlite3.connect, 0

    def count(sql: str) -> None:
        del sql
        nonlocal seen
        if seen == statement:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1

    def counting(*args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)
        connection.set_trace_callback(count)
        return connection

    sqlite3.connect = counting  # type: ignore[assignment] # the one overload that SqliteStore calls


def check(path: Path, model: MemoryStore, acknowledged: int) -> int:
    """The file holds what one commit left: the last acknowledged, or the one under way; ``model`` catches up."""
    store = SqliteStore(path)
    number = int.from_bytes(store.get(NUMBER) or b"")
    assert acknowledged <= number <= acknowledged + 1, (acknowledged, number)
    for missed in range(int.from_bytes(model.get(NUMBER) or b"") + 1, number + 1):
        model.commit(*batch(missed))
    assert dump(store) == dump(model)
    assert store.count() == model.count()
    assert store.rp_id(sha256(b"example.com").digest()) == model.rp_id(sha256(b"example.com").digest())
    store.close()
    return number


def kill_at_every_statement(folder: Path, statements: int) -> str:
    """One new file and one of version 1 for each statement, which is the last thing that the process does."""
    reached = 0
    for statement in range(statements):
        for name, model in (("new", MemoryStore()), ("old", write_version_1(folder / f"old{statement}.db", 5))):
            path = folder / f"{name}{statement}.db"
            acknowledged = max(KilledChild(path, statement).acknowledgements(), default=0)
            reached = max(reached, check(path, model, acknowledged))
    return f"{reached} commits reached"


def kill_at_any_moment(folder: Path, kills: int) -> str:
    """One file, written by one process after another, each killed from outside."""
    path, model, number = folder / "key.db", MemoryStore(), 0
    draw = random.Random(7)  # noqa: S311 - moments to kill at, not secrets
    for _ in range(kills):
        child, last = KilledChild(path), number + draw.randrange(1, 12)
        acknowledged = number
        for acknowledged in child.acknowledgements():
            if acknowledged == last:
                for _ in range(draw.randrange(10_000)):
                    pass  # somewhere in the middle of the next commit
                os.kill(child.process, signal.SIGKILL)
        after = check(path, model, acknowledged)
        assert after > number
        number = after
    return f"{kills} kills survived"


if __name__ == "__main__":
    experiment = {"statements": kill_at_every_statement, "moments": kill_at_any_moment}[sys.argv[1]]
    sys.stdout.write(experiment(Path(sys.argv[2]), int(sys.argv[3])))
