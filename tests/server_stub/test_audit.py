import sqlite3
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import MetaData

from server_stub.audit import AuditLog, Entry
from server_stub.store.database import Database
from tests.server_stub.world import World

METADATA = MetaData()
LOG = AuditLog(METADATA)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log of four rows, closed."""
    file = tmp_path / "audit.sqlite3"
    database = Database(file, METADATA)
    for number in range(4):
        database.run_now(LOG.append, 100.0 + number, "login", "authenticated", bytes([number]), by=["PASSWORD"])
    database.close()
    return file


def verdict(path: Path) -> int | None:
    """The first row that is wrong."""
    database = Database(path, METADATA)
    try:
        return database.run_now(LOG.verify)
    finally:
        database.close()


def test_an_untouched_log_verifies_and_reads_in_order(path: Path) -> None:
    """From any row on."""
    assert verdict(path) is None
    database = Database(path, METADATA)
    assert [entry.sequence for entry in database.run_now(LOG.read, 1, 2)] == [2, 3]
    assert database.run_now(LOG.read)[0].detail == {"by": ["PASSWORD"]}
    database.close()


@pytest.mark.parametrize("change", ["UPDATE audit SET outcome = 'x'", "DELETE FROM audit"])
def test_the_database_itself_refuses_to_change_a_row(path: Path, change: str) -> None:
    """A mistake in the program cannot."""
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append only"):
        connection.execute(change)
    connection.close()


@pytest.mark.parametrize(
    ("change", "first_wrong"),
    [
        ("UPDATE audit SET outcome = 'denied' WHERE sequence = 3", 3),
        ("UPDATE audit SET user = NULL WHERE sequence = 1", 1),
        ("DELETE FROM audit WHERE sequence = 2", 2),
        ("UPDATE audit SET sequence = 9 WHERE sequence = 4", 4),
    ],
)
def test_who_changes_a_row_in_the_file_breaks_the_chain_there(path: Path, change: str, first_wrong: int) -> None:
    """Even with the triggers out of the way."""
    connection = sqlite3.connect(path)
    connection.executescript(f"DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; {change};")
    connection.close()
    assert verdict(path) == first_wrong


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ("detail = 'x{'", {"unreadable": "x{"}),
        ("detail = '[1]'", {"unreadable": "[1]"}),
        ("detail = CAST(x'22ff' AS TEXT)", {"unreadable": '"\ufffd'}),
        ("time = 'yesterday'", {"by": ["PASSWORD"]}),
        ("time = 1e300", {"by": ["PASSWORD"]}),
        ("event = x'00ff'", {"by": ["PASSWORD"]}),
        ("outcome = CAST(x'ff' AS TEXT)", {"by": ["PASSWORD"]}),
    ],
)
def test_a_row_that_was_changed_into_anything_hides_neither_itself_nor_the_others(
    path: Path, change: str, shown: dict[str, object]
) -> None:
    """Just then people want to read the log: all rows are there, in JSON, counted, and the chain says which is wrong."""
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER audit_no_update")
    connection.execute(f"UPDATE audit SET {change} WHERE sequence = 3")  # noqa: S608 - our own words
    connection.commit()
    connection.close()
    assert verdict(path) == 3
    database = Database(path, METADATA)
    rows = database.run_now(LOG.read)
    assert [row.sequence for row in rows] == [1, 2, 3, 4]
    assert rows[2].detail == shown
    assert msgspec.json.decode(msgspec.json.encode(rows), type=list[Entry])[2].time in {0.0, 102.0}
    last, counts = database.run_now(LOG.count, 0)
    assert (last, counts.total(), len(sorted(counts))) == (4, 4, 1 + ("event" in change or "outcome" in change))
    database.close()


def test_a_login_leaves_its_trace(world: World) -> None:
    """Access with the reasons of the policy, each step, and the end."""
    browser, person, device = world.at_the_qr_code()
    browser.otp(device.code(browser.qr()))
    trace = [(row["event"], row["outcome"]) for row in world.audit() if row["user"] == person.id]
    assert trace == [
        ("admin.user.add", "done"),
        ("admin.token.assign", "done"),
        ("policy", "password-then-offline-qr"),
        ("step", "PASSWORD"),
        ("step", "OFFLINE_QR"),
        ("login", "authenticated"),
    ]
    accesses = [row for row in world.audit() if row["event"] == "access"]
    assert accesses[-1]["detail"]["why"] == ["payments need a token: applies"]
