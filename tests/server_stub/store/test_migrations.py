import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, create_engine, insert, inspect, select, text
from sqlalchemy.pool import NullPool

from server_stub.cloud.store import metadata as cloud_tables
from server_stub.errors import ServerError
from server_stub.run import run_server
from server_stub.settings import Settings
from server_stub.store.database import Database
from server_stub.store.iam import metadata as iam_tables
from server_stub.store.migrations import HEAD, VERSION, migrate

HERE = Path(__file__).parent
TABLES = {"iam": iam_tables, "cloud": cloud_tables}
SEEDED = {
    "iam": {
        "users": 2,
        "fido_credentials": 1,
        "sessions": 1,
        "badges": 1,
        "attempts": 1,
        "audit": 3,
        "used_tickets": 1,
    },
    "cloud": {"tokens": 2, "challenges": 1, "attempts": 1, "audit": 3, "token_users": 1},
}
SINCE = {"used_tickets": 6, "token_users": 3}
"""Tables that early revisions lack."""


def old_database(folder: Path, name: str) -> Path:
    """A database as version 0 left it after a login."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.sqlite3"
    with closing(sqlite3.connect(path)) as file:
        file.executescript((HERE / f"{name}_version_0.sql").read_text())
    path.chmod(0o600)
    return path


def shape(where: Path | str, schema: str) -> dict[str, Any]:
    """Every table with its columns, whether they may be empty, its indexes and references."""
    url = f"sqlite:///{where}" if isinstance(where, Path) else where.replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(url, poolclass=NullPool)
    found = inspect(engine)
    inside = None if isinstance(where, Path) else schema
    result = {
        table: (
            {str(each["name"]): each["nullable"] for each in found.get_columns(table, inside)},
            {str(each["name"]): tuple(each["column_names"]) for each in found.get_indexes(table, inside)},
            found.get_pk_constraint(table, inside)["constrained_columns"],
            sorted(each["constrained_columns"] for each in found.get_foreign_keys(table, inside)),
        )
        for table in found.get_table_names(inside)
    }
    engine.dispose()
    return result


def seed(connection: Connection, name: str) -> None:
    """Rows in the tables that matter, with values that are easily lost."""
    tables = TABLES[name].tables
    rows: dict[str, list[dict[str, Any]]] = {
        "users": [
            {"id": bytes([n]) * 16, "username": f"us\u00e9r{n}", "password_hash": "x", "sealed_badge_key": b"\0\xff"}
            | {"groups": "[]"}
            for n in range(2)
        ],
        "fido_credentials": [
            {"id": b"c", "user_id": bytes(16), "rp_id": "r", "display_name": "d", "credential_data": b"\0"}
            | {"sign_count": 2**32 - 1, "created_at": 0.1}
        ],
        "sessions": [
            {"token_hash": b"t", "application": "a", "flow": "", "passed": "[]", "pending": "{}", "expires_at": 1e9}
        ],
        "badges": [{"id": b"b", "user_id": bytes(16), "kind": "secure", "created_at": 1.5}],
        "used_tickets": [{"issuer": "i", "ticket_id": "t", "expires_at": 1.0}],
        "tokens": [
            {"id": f"t{n}", "serial": f"S{n}", "sealed_seed": b"\0s", "display_name": "d", "user_id": "00" * 16}
            for n in range(2)
        ],
        "challenges": [
            {"id": "c", "token_id": "t0", "user_id": "u", "reference": "r", "header": b"\0", "body": b"\xff"}
            | {"issued_at": 0.25, "expires_at": 180.25, "wrong": 1, "state": "open"}
        ],
        "token_users": [{"token_id": "t1", "user_id": "11" * 16}],
        "attempts": [{"subject": "s", "method": "m", "failures": 10, "locked_until": 1e18}],
    }
    for table, values in rows.items():
        if table in tables:
            connection.execute(insert(tables[table]), values)
    for number in range(3):
        log(name).append(connection, 0.1 + number, "login", "authenticated", bytes([number]), by=["PASSWORD"])


def log(name: str) -> Any:
    """The audit log of a database."""
    from server_stub.cloud.store import audit as cloud_audit  # noqa: PLC0415 - the two have one name
    from server_stub.store.iam import audit as iam_audit  # noqa: PLC0415 - as above

    return {"iam": iam_audit, "cloud": cloud_audit}[name]


def counts(connection: Connection, tables: list[str]) -> dict[str, int]:
    """How many rows there are."""
    return {table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables}  # noqa: S608 - our tables


@pytest.fixture(params=TABLES)
def name(request: pytest.FixtureRequest) -> str:
    """Each of the two databases."""
    return str(request.param)


@pytest.fixture
def database(where: Path | str, name: str) -> Iterator[Database]:
    """A new one with seeded data."""
    database = Database(where, TABLES[name])
    database.run_now(seed, name)
    yield database
    database.close()


def newest(name: str) -> int:
    """The number of the newest revision."""
    return int(TABLES[name].info[HEAD].partition("_")[2])


def test_every_revision_goes_down_and_up_again_with_its_rows(database: Database, where: Path | str, name: str) -> None:
    """One by one to the first and back; what the tables held is still there, and the chain of the log holds."""
    made = shape(where, name)
    for number in reversed(range(newest(name))):
        database.run_now(migrate, f"{name}_{number}")
        expected = {table: n for table, n in SEEDED[name].items() if SINCE.get(table, 0) <= number}
        assert database.run_now(counts, list(expected)) == expected, number
        assert database.run_now(log(name).verify) is None
    for number in range(1, newest(name) + 1):
        database.run_now(migrate, f"{name}_{number}")
    assert shape(where, name) == made
    assert database.run_now(counts, ["audit", "attempts"]) == {"audit": 3, "attempts": 1}
    column = {"iam": ("fido_credentials", "sign_count", 2**32 - 1), "cloud": ("challenges", "expires_at", 180.25)}[name]
    table = TABLES[name].tables[column[0]]
    assert database.run_now(lambda c: c.execute(select(table.c[column[1]])).scalar_one()) == column[2]


def test_what_the_revisions_make_is_what_the_program_makes(tmp_path: Path, name: str, where: Path | str) -> None:
    """A database that went through all of them from nothing looks like one that was made in one go."""
    Database(where, TABLES[name]).close()
    made = shape(where, name)
    database = Database(where, TABLES[name])
    database.run_now(migrate, f"{name}_0")
    early = shape(where, name)
    database.run_now(migrate, TABLES[name].info[HEAD])
    database.close()
    assert early != made == shape(where, name)


def test_an_old_file_ends_up_like_a_new_one(tmp_path: Path, name: str) -> None:
    """The same tables, columns and indexes, and all rows still there; a second start changes nothing."""
    old, new = old_database(tmp_path, name), tmp_path / "new.sqlite3"
    with closing(sqlite3.connect(old)) as file:
        rows = file.execute("SELECT count(*) FROM audit").fetchone()
    for path in (old, new, old):
        Database(path, TABLES[name]).close()
    assert shape(old, name) == shape(new, name)
    with closing(sqlite3.connect(old)) as file:
        assert file.execute("SELECT count(*) FROM audit").fetchone() == rows


def test_a_file_of_the_last_version_before_alembic_is_taken_over(tmp_path: Path, name: str) -> None:
    """It says its number in user_version, and has the tables that were made when missing."""
    path, number = tmp_path / "old.sqlite3", {"iam": 5, "cloud": 2}[name]
    database = Database(path, TABLES[name])
    database.run_now(seed, name)
    database.run_now(migrate, f"{name}_{number + 1}")  # that one made the tables, and the next the indexes
    database.close()
    with closing(sqlite3.connect(path)) as file:
        file.executescript(f"DROP TABLE alembic_version; PRAGMA user_version = {number}")
    database = Database(path, TABLES[name])
    assert database.run_now(counts, list(SEEDED[name])) == SEEDED[name]
    assert database.run_now(lambda c: c.execute(select(VERSION)).scalar_one()) == TABLES[name].info[HEAD]
    database.close()


def test_a_server_starts_on_old_files_and_their_audit_verifies(file_settings: Settings) -> None:
    """What was chained then is still chained."""
    for name in TABLES:
        old_database(file_settings.data_dir, name)
    with run_server(file_settings):
        pass
    for name, tables in TABLES.items():
        database = Database(file_settings.data_dir / f"{name}.sqlite3", tables)
        assert database.run_now(log(name).verify) is None
        database.close()


def test_a_migration_that_fails_leaves_the_old_version_whole(tmp_path: Path) -> None:
    """All or nothing, so that the next try starts from something known."""
    path = old_database(tmp_path, "iam")
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE sessions_by_expiry (no_index INTEGER)")
    before = shape(path, "iam")
    with pytest.raises(ServerError, match=r"already .*sessions_by_expiry"):
        Database(path, iam_tables)
    assert shape(path, "iam") == before


def test_a_file_of_the_future_before_alembic_is_one_sentence(file_settings: Settings) -> None:
    """And it is left alone."""
    path = old_database(file_settings.data_dir, "iam")
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 1000")
    with pytest.raises(ServerError, match=r"iam\.sqlite3: .*version iam_1000"), run_server(file_settings):
        pytest.fail("it started")


def test_a_database_of_the_future_is_one_sentence(where: Path | str, name: str) -> None:
    """It says the version that was found, and the newest that is known."""
    database = Database(where, TABLES[name])
    database.run_now(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = 'x_9'")))
    database.close()
    with pytest.raises(ServerError, match=f"schema version x_9, this program knows versions up to {name}_"):
        Database(where, TABLES[name])


def test_tables_of_a_program_without_revisions_are_only_made(where: Path | str) -> None:
    """As those of tests."""
    Database(where, MetaData()).close()
    assert shape(where, "authrig") == {}
