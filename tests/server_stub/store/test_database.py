import asyncio
import itertools
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Insert,
    Integer,
    MetaData,
    String,
    Table,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from server_stub.errors import ApiError, ServerError
from server_stub.store import database as database_module
from server_stub.store import engine
from server_stub.store.database import Database
from server_stub.store.prepared import Prepared

METADATA = MetaData()
NUMBERS = Table("numbers", METADATA, Column("number", Integer, primary_key=True), Column("hits", Integer, default=0))


@pytest.fixture
def database(where: Path | str) -> Iterator[Database]:
    """A fresh one."""
    database = Database(where, METADATA)
    yield database
    database.close()


def add(connection: Connection, number: int) -> None:
    """One more row."""
    connection.execute(insert(NUMBERS).values(number=number))


def count(connection: Connection) -> int:
    """How many rows there are."""
    return connection.execute(select(func.count()).select_from(NUMBERS)).scalar_one()


def test_a_transaction_that_raises_leaves_nothing_behind(database: Database) -> None:
    """All or nothing, and the next one works."""

    def half(connection: Connection) -> None:
        add(connection, 1)
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        database.run_now(half)
    assert database.run_now(count) == 0
    database.run_now(add, 2)
    assert database.run_now(count) == 1


def test_two_processes_that_update_conditionally_lose_nothing(database: Database, where: Path | str) -> None:
    """Here two of our databases on one of theirs, which is the same to SQLite and PostgreSQL."""
    other = Database(where, METADATA)
    database.run_now(add, 1)

    def hit(connection: Connection) -> None:
        connection.execute(update(NUMBERS).values(hits=NUMBERS.c.hits + 1))

    async def race() -> None:
        await asyncio.gather(*(each.run(hit) for _ in range(100) for each in (database, other)))

    asyncio.run(race())
    other.close()
    assert database.run_now(lambda connection: connection.execute(select(NUMBERS.c.hits)).scalar_one()) == 200


@pytest.mark.needs("pg_ctl")
def test_transactions_that_wait_for_each_other_are_run_again(postgresql_url: str) -> None:
    """PostgreSQL ends one of two that lock the same rows in another order; its caller does not notice."""
    database = Database(postgresql_url, METADATA)
    for number in (1, 2):
        database.run_now(add, number)
    both = threading.Barrier(2)
    runs = itertools.count()

    def hit(connection: Connection, first: int, second: int) -> None:
        for number in (first, second):
            connection.execute(update(NUMBERS).where(NUMBERS.c.number == number).values(hits=NUMBERS.c.hits + 1))
            if number == first and next(runs) < 2:
                both.wait()

    async def race() -> None:
        await asyncio.gather(database.run(hit, 1, 2), database.run(hit, 2, 1))

    asyncio.run(race())
    hits = database.run_now(lambda connection: connection.execute(select(NUMBERS.c.hits)).scalars().all())
    database.close()
    assert list(hits) == [2, 2]
    assert next(runs) > 2


@pytest.mark.needs("pg_ctl")
def test_a_database_that_went_away_is_told_so_and_used_again_when_it_is_back(postgresql_url: str) -> None:
    """Here its connections are ended from outside, as by a restart."""
    database = Database(postgresql_url, METADATA)
    database.run_now(add, 1)
    with psycopg.connect(postgresql_url, autocommit=True) as other:
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'authrig'"
        other.execute(ended)
    with pytest.raises(ApiError, match="503 DATABASE_UNAVAILABLE"):
        database.run_now(count)
    assert database.run_now(count) == 1
    database.close()


def test_a_file_that_another_process_holds_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When our patience is over it is as if a PostgreSQL were away; and the file is used again once it is free."""
    monkeypatch.setattr(engine, "BUSY_TIMEOUT", 0.01)
    database = Database(tmp_path / "numbers.sqlite3", METADATA)
    with closing(sqlite3.connect(tmp_path / "numbers.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ApiError, match="503 DATABASE_UNAVAILABLE"):
            database.run_now(add, 1)
        other.execute("ROLLBACK")
    database.run_now(add, 1)
    assert database.run_now(count) == 1
    database.close()


@pytest.mark.parametrize("by_core", [False, True])
@pytest.mark.parametrize("breaks", ["in the middle", "at the end", "never"])
def test_a_transaction_ends_whoever_has_run_its_statements(tmp_path: Path, breaks: str, *, by_core: bool) -> None:
    """The driver alone, as for prepared statements, or Core; also when only the commit fails."""
    tables = MetaData()
    parent = Table("parent", tables, Column("id", Integer, primary_key=True))
    deferred = ForeignKey("parent.id", deferrable=True, initially="DEFERRED")
    child = Table("child", tables, Column("id", Integer, primary_key=True), Column("parent", deferred))
    database = Database(tmp_path / "family.sqlite3", tables)
    orphan, whole = insert(child).values(id=1, parent=7), insert(parent).values(id=7)

    def say(connection: Connection, statement: Insert) -> None:
        if by_core:
            connection.execute(statement)
        else:
            Prepared(statement).changed(connection, {})

    def transaction(connection: Connection) -> None:
        say(connection, orphan)
        if breaks == "in the middle":
            raise ValueError
        if breaks == "never":
            say(connection, whole)

    if breaks == "never":
        database.run_now(transaction)
    else:
        with pytest.raises((ValueError, IntegrityError)):
            database.run_now(transaction)
    rows = database.run_now(lambda connection: connection.execute(select(child.c.id)).all())
    assert len(rows) == (breaks == "never")
    database.close()


def test_the_log_of_a_file_is_emptied_while_others_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By us, now and then, so that no writer has to do it in its own commit; and nothing is lost."""
    monkeypatch.setattr(database_module, "CHECKPOINT_EVERY", 20)
    file = tmp_path / "numbers.sqlite3"
    database = Database(file, METADATA)
    for number in range(1, 2001):
        database.run_now(add, number)
    pages = file.with_name("numbers.sqlite3-wal").stat().st_size // 4096
    assert pages < 1000, "2000 commits are 2000 pages at least"
    assert database.run_now(count) == 2000
    database.close()
    assert not file.with_name("numbers.sqlite3-wal").exists()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://authrig:hunter2@127.0.0.1:1/authrig", "cannot use the database .*refused"),
        ("mysql://localhost/authrig", "begins with mysql://, expected postgresql://"),
        ("no url", "database_url is no URL"),
    ],
)
def test_a_url_that_leads_nowhere_is_one_sentence_without_the_password(url: str, sentence: str) -> None:
    """Who reads a log learns where, not with what."""
    with pytest.raises(ServerError, match=sentence) as refused:
        Database(url, METADATA)
    assert "hunter2" not in str(refused.value)


def test_a_missing_driver_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ServerError, match=r"pip install 'authrig\[postgres\]'"):
        Database("postgresql://localhost/authrig", METADATA)


def test_a_value_that_the_database_cannot_hold_is_the_callers_mistake(where: Path | str) -> None:
    """PostgreSQL has no U+0000 in a text; SQLite takes it as it is."""
    tables = MetaData()
    words = Table("words", tables, Column("word", String))
    database = Database(where, tables)

    def say(connection: Connection) -> None:
        connection.execute(insert(words).values(word="a\0b"))

    if isinstance(where, str):
        with pytest.raises(ApiError, match="400 BAD_REQUEST"):
            database.run_now(say)
    else:
        database.run_now(say)
    database.close()


def test_the_file_survives_a_kill_by_its_journal(tmp_path: Path) -> None:
    """Write-ahead log, and references between tables are held."""
    database = Database(tmp_path / "numbers.sqlite3", METADATA)
    modes = database.run_now(
        lambda connection: [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("journal_mode", "foreign_keys")
        ]
    )
    assert modes == ["wal", 1]
    database.run_now(add, 1)
    reader = sqlite3.connect(tmp_path / "numbers.sqlite3")
    assert reader.execute("SELECT count(*) FROM numbers").fetchone() == (1,)
    reader.close()
    database.close()


@pytest.mark.parametrize(("flushed", "synchronous"), [(False, 1), (True, 2)])
def test_a_commit_waits_for_the_disk_if_it_is_told_to(tmp_path: Path, synchronous: int, *, flushed: bool) -> None:
    """SQLite's NORMAL and FULL; for all connections that are made."""
    database = Database(tmp_path / "numbers.sqlite3", METADATA, flushed=flushed)
    found = database.run_now(lambda connection: connection.exec_driver_sql("PRAGMA synchronous").scalar_one())
    database.close()
    assert found == synchronous
