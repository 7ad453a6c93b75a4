import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, func, insert, select, update

from server_stub.store.database import Database

METADATA = MetaData()
NUMBERS = Table("numbers", METADATA, Column("number", Integer, primary_key=True), Column("hits", Integer, default=0))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A fresh file."""
    database = Database(tmp_path / "numbers.sqlite3", METADATA)
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


def test_two_processes_that_read_and_write_lose_no_update(database: Database, tmp_path: Path) -> None:
    """Here two databases on one file, which is the same to SQLite."""
    other = Database(tmp_path / "numbers.sqlite3", METADATA)
    database.run_now(add, 1)

    def hit(connection: Connection) -> None:
        hits = connection.execute(select(NUMBERS.c.hits)).scalar_one()
        connection.execute(update(NUMBERS).values(hits=hits + 1))

    async def race() -> None:
        await asyncio.gather(*(each.run(hit) for _ in range(100) for each in (database, other)))

    asyncio.run(race())
    other.close()
    assert database.run_now(lambda connection: connection.execute(select(NUMBERS.c.hits)).scalar_one()) == 200


def test_the_file_survives_a_kill_by_its_journal(database: Database, tmp_path: Path) -> None:
    """Write-ahead log, and references between tables are held."""
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
