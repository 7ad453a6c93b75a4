import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from authrig.cli import main
from server_stub.cloud.store import audit as cloud_audit
from server_stub.cloud.store import metadata as cloud_tables
from server_stub.store.database import Database
from server_stub.store.iam import audit as iam_audit
from server_stub.store.iam import metadata as iam_tables

LOGS = {"iam": (iam_tables, iam_audit), "cloud": (cloud_tables, cloud_audit)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The databases of a server that is not running, with five rows in each log."""
    for name, (tables, log) in LOGS.items():
        database = Database(tmp_path / f"{name}.sqlite3", tables)
        for number in range(5):
            database.run_now(log.append, 100.0 + number, "login", "authenticated", bytes([number]), by=["PASSWORD"])
        database.close()
    return tmp_path


def change(data: Path, statement: str) -> None:
    """Change the IAM's log past its triggers, as somebody who has the file can."""
    with closing(sqlite3.connect(data / "iam.sqlite3")) as file:
        file.executescript(f"DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; {statement};")


def verify(data: Path, *options: str) -> int:
    """The exit code."""
    return main(["audit", "verify", "--data", str(data), *options])


def test_logs_that_nobody_touched_are_whole(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each, and exit code 0."""
    assert verify(data) == 0
    assert capsys.readouterr().out == "iam: 5 rows, whole\ncloud: 5 rows, whole\n"


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "UPDATE audit SET outcome = 'denied' WHERE sequence = 3",
            "iam: row 3 was changed; 2 rows before it are whole",
        ),
        ("UPDATE audit SET detail = '{}' WHERE sequence = 1", "iam: row 1 was changed; 0 rows before it are whole"),
        ("DELETE FROM audit WHERE sequence = 2", "iam: row 2 was removed; 1 rows before it are whole"),
        ("UPDATE audit SET sequence = 0 WHERE sequence = 4", "iam: row 1 was slipped in; 0 rows before it are whole"),
    ],
)
def test_the_sentence_names_the_first_broken_row(
    data: Path, capsys: pytest.CaptureFixture[str], statement: str, sentence: str
) -> None:
    """And the exit code is 1; the other log is whole all the same."""
    change(data, statement)
    assert verify(data) == 1
    assert capsys.readouterr().out == f"{sentence}\ncloud: 5 rows, whole\n"


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("DELETE FROM audit WHERE sequence > 3", "iam: row 4 was cut off; there were 5 rows, 3 are left"),
        ("DELETE FROM audit", "iam: row 1 was cut off; there were 5 rows, 0 are left"),
    ],
)
def test_who_kept_what_was_printed_sees_that_rows_were_cut_off(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], statement: str, sentence: str
) -> None:
    """Without it, a shorter chain is a whole chain."""
    assert verify(data, "--json") == 0
    kept = tmp_path / "kept.json"
    kept.write_text(capsys.readouterr().out)
    assert verify(data, "--kept", str(kept)) == 0
    change(data, statement)
    capsys.readouterr()
    assert verify(data) == 0
    assert verify(data, "--kept", str(kept)) == 1
    assert sentence in capsys.readouterr().out


def test_a_log_that_was_written_anew_is_not_the_one_that_was_kept(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own chain is whole, and as long."""
    verify(data, "--json")
    kept = tmp_path / "kept.json"
    kept.write_text(capsys.readouterr().out)
    (data / "iam.sqlite3").unlink()
    database = Database(data / "iam.sqlite3", iam_tables)
    for number in range(6):
        database.run_now(iam_audit.append, 200.0 + number, "login", "authenticated")
    database.close()
    assert verify(data, "--kept", str(kept)) == 1
    assert "iam: row 5 is not the one that was there before" in capsys.readouterr().out


def test_json_is_one_document_for_scripts(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the number of the broken row."""
    change(data, "UPDATE audit SET event = 'x' WHERE sequence = 2")
    assert verify(data, "--json") == 1
    iam, cloud = json.loads(capsys.readouterr().out)
    assert (iam["log"], iam["intact"], iam["firstBrokenRow"], iam["rows"]) == ("iam", False, 2, 1)
    assert (cloud["log"], cloud["intact"], cloud["firstBrokenRow"]) == ("cloud", True, None)


def test_what_cannot_be_read_is_one_sentence(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No database, none of ours, and a wrong file with what was kept: exit code 2."""
    assert verify(data / "nowhere") == 2
    assert "nowhere/iam.sqlite3: No such file" in capsys.readouterr().err
    wrong = data / "kept.json"
    wrong.write_text("[1]")
    assert verify(data, "--kept", str(wrong)) == 2
    assert "is not what `authrig audit verify --json` printed" in capsys.readouterr().err
    shutil.copy(wrong, data / "iam.sqlite3")
    assert verify(data) == 2
    assert "cannot read the audit log" in capsys.readouterr().err


def test_nothing_is_written(data: Path) -> None:
    """The database stays as it was, also when it is an old one."""
    before = (data / "iam.sqlite3").read_bytes()
    assert verify(data) == 0
    assert (data / "iam.sqlite3").read_bytes() == before
