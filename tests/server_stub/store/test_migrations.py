import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine, inspect

from server_stub.cloud.store import metadata as cloud_tables
from server_stub.errors import ServerError
from server_stub.run import run_server
from server_stub.settings import Settings
from server_stub.store.database import Database
from server_stub.store.iam import metadata as iam_tables

HERE = Path(__file__).parent
TABLES = {"iam": iam_tables, "cloud": cloud_tables}


def old_database(folder: Path, name: str) -> Path:
    """A database as version 0 left it after a login."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.sqlite3"
    with closing(sqlite3.connect(path)) as file:
        file.executescript((HERE / f"{name}_version_0.sql").read_text())
    path.chmod(0o600)
    return path


def columns(path: Path) -> dict[str, set[str]]:
    """Every table and its columns."""
    engine = create_engine(f"sqlite:///{path}")
    found = inspect(engine)
    result = {table: {str(each["name"]) for each in found.get_columns(table)} for table in found.get_table_names()}
    engine.dispose()
    return result


@pytest.mark.parametrize("name", TABLES)
def test_an_old_database_ends_up_like_a_new_one(tmp_path: Path, name: str) -> None:
    """The same tables and columns, and all rows still there; a second start changes nothing."""
    old, new = old_database(tmp_path, name), tmp_path / "new.sqlite3"
    with closing(sqlite3.connect(old)) as file:
        rows = file.execute("SELECT count(*) FROM audit").fetchone()
    for path in (old, new, old):
        Database(path, TABLES[name]).close()
    assert columns(old) == columns(new)
    with closing(sqlite3.connect(old)) as file:
        assert file.execute("SELECT count(*) FROM audit").fetchone() == rows


def test_a_server_starts_on_old_databases_and_their_audit_verifies(settings: Settings) -> None:
    """What was chained then is still chained."""
    for name in TABLES:
        old_database(settings.data_dir, name)
    with run_server(settings):
        pass
    for name, tables in TABLES.items():
        with closing(sqlite3.connect(settings.data_dir / f"{name}.sqlite3")) as file:
            assert file.execute("PRAGMA user_version").fetchone()[0] == len(tables.info["migrations"])


def test_a_migration_that_fails_leaves_the_old_version_whole(tmp_path: Path) -> None:
    """All or nothing, so that the next try starts from something known."""
    path = old_database(tmp_path, "iam")
    before = columns(path)
    good = "ALTER TABLE users ADD COLUMN extra VARCHAR"
    wrong = MetaData(info={"migrations": ((good, "ALTER TABLE no_such ADD COLUMN extra VARCHAR"),)})
    with pytest.raises(ServerError, match="no such table: no_such"):
        Database(path, wrong)
    assert columns(path) == before


def test_a_database_from_the_future_is_one_sentence(settings: Settings) -> None:
    """And it is left alone."""
    path = old_database(settings.data_dir, "iam")
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 1000")
    with pytest.raises(ServerError, match=r"iam\.sqlite3: .*version 1000"), run_server(settings):
        pytest.fail("it started")
