import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pytest

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.messages import UserEntity
from emulators.fido_authenticator.sqlite_store import SqliteStore
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.store import Put, Remove, Save, StoreError, dump
from tests.emulators.fido_authenticator import key_killing, store_killing
from tests.emulators.fido_authenticator.ctap_requests import GET_ASSERTION, assertion, call, register
from tests.emulators.fido_authenticator.store_killing import write_version_1


def _credential(number: int, rp_id: str = "example.com") -> Credential:
    return Credential(bytes([number]), rp_id, -7, b"secret", UserEntity(bytes([number]), "name"), discoverable=True)


def test_a_key_in_a_file_is_the_same_key_later(tmp_path: Path) -> None:
    """Credentials of both kinds work after the process that made them has gone."""
    store = SqliteStore(tmp_path / "key.db")
    sealed = register(Authenticator(Env.simulated(1), store=store))
    register(Authenticator(Env.simulated(1), store=store), {7: {"rk": True}})
    store.close()
    store = SqliteStore(tmp_path / "key.db")
    authenticator = Authenticator(Env.simulated(2), store=store)
    for changes in ({}, {3: [{"id": sealed, "type": "public-key"}]}):
        assert call(authenticator, GET_ASSERTION, assertion(changes))[0] is Status.SUCCESS
    store.close()


def test_a_key_file_is_private(tmp_path: Path) -> None:
    """Only its owner may read it, and the journal beside it."""
    store = SqliteStore(tmp_path / "key.db")
    store.commit(Put("a", b"b"))
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    store.close()


def test_a_key_file_has_one_user_at_a_time(tmp_path: Path) -> None:
    """The second one is told who it is about."""
    store = SqliteStore(tmp_path / "key.db")
    with pytest.raises(StoreError, match=r"key\.db: another process is using it"):
        SqliteStore(tmp_path / "key.db")
    store.close()
    SqliteStore(tmp_path / "key.db").close()


def _foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE precious (data)")
    connection.close()


def _newer(path: Path) -> None:
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def _overwritten(path: Path) -> None:
    store = SqliteStore(path)
    store.commit(*(Save(_credential(number)) for number in range(200)))
    store.close()
    data = bytearray(path.read_bytes())
    data[4096:] = random.Random(1).randbytes(len(data) - 4096)  # noqa: S311 - damage, not a secret
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda path: path.write_bytes(b"not a database at all, but long enough" * 100), "found damage"),
        (_foreign, "some other SQLite database"),
        (_newer, "expected version 2 or older, found version 99"),
        (_overwritten, "found damage"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_kept(
    tmp_path: Path, spoil: Callable[[Path], object], sentence: str
) -> None:
    """Damage, other programs' files and files of the future are refused, and stay byte for byte as they are."""
    path = tmp_path / "key.db"
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=rf"key file .*key\.db: .*{sentence}"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_path_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """A missing folder is a sentence, not a traceback of SQLite."""
    with pytest.raises(StoreError, match=r"nowhere/key\.db: cannot be opened"):
        SqliteStore(tmp_path / "nowhere" / "key.db")


def test_a_failed_write_changes_nothing(tmp_path: Path) -> None:
    """A batch that fails in the middle is undone, and the store goes on."""
    store = SqliteStore(tmp_path / "key.db")
    store.commit(Put("kept", b"1"))
    before = dump(store)
    store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match="cannot be written"):
        store.commit(Put("a", b"b"))
    store._connection.execute("PRAGMA query_only = OFF")
    store._connection.set_authorizer(
        lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_DELETE else sqlite3.SQLITE_OK
    )
    with pytest.raises(StoreError, match="cannot be written"):
        store.commit(Put("a", b"b"), Remove("kept"))
    store._connection.set_authorizer(None)
    assert dump(store) == before
    store.commit(Put("a", b"b"))
    assert store.get("a") == b"b"
    store.close()


def test_a_damaged_credential_is_named(tmp_path: Path) -> None:
    """Its id is in the sentence; the others still work."""
    store = SqliteStore(tmp_path / "key.db")
    store.commit(Save(_credential(1)), Save(_credential(2)))
    store._connection.execute("UPDATE credentials SET body = x'a0' WHERE id = x'01'")
    with pytest.raises(StoreError, match="credential 01 is damaged"):
        store.credential(b"\x01")
    assert store.credential(b"\x02") == _credential(2)
    store._connection.execute("DROP TABLE records")
    with pytest.raises(StoreError, match="cannot be read"):
        store.get("a")
    store.close()


def _killing(program: ModuleType, *arguments: object) -> str:
    """What a program that kills writers says when all is well."""
    done = subprocess.run(
        [sys.executable, "-m", program.__name__, *map(str, arguments)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_kill_at_every_statement_leaves_the_state_of_one_commit(tmp_path: Path) -> None:
    """Also while a file is made, or brought up to date from an older version."""
    reached = int(_killing(store_killing, "statements", tmp_path, 60).split()[0])
    assert reached >= 4


def test_200_kills_at_any_moment_lose_nothing_acknowledged(tmp_path: Path) -> None:
    """One file, one process after another killed from outside while it writes records and credentials of all kinds."""
    assert _killing(store_killing, "moments", tmp_path, 200) == "200 kills survived"


def test_a_kill_in_the_middle_of_a_command_leaves_what_one_of_its_commits_made(tmp_path: Path) -> None:
    """Every command that writes, at each of its statements: no answer is lost, and no try of a PIN is won back."""
    assert int(_killing(key_killing, tmp_path).split()[0]) > 100


def test_a_file_of_an_older_version_keeps_all_it_holds(tmp_path: Path) -> None:
    """It is brought up to date once, and what only newer files know is there."""
    expected = write_version_1(tmp_path / "key.db", 12)
    for _ in range(2):
        store = SqliteStore(tmp_path / "key.db")
        assert dump(store) == dump(expected)
        assert (store.count(), store.rp_id(sha256(b"1.example").digest())) == (12, "1.example")
        store.close()
    again = SqliteStore(tmp_path / "key.db")
    again.commit(Save(_credential(200, "new.example")))
    assert again.rp_id(sha256(b"new.example").digest()) == "new.example"
    again.close()


def test_a_file_that_cannot_be_brought_up_to_date_stays_as_it_is(tmp_path: Path) -> None:
    """The sentence says from which version to which; the old file is still the old file."""
    path = tmp_path / "key.db"
    write_version_1(path, 1)
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE credentials ADD COLUMN rp_id_hash BLOB")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match=r"key\.db: cannot be brought from version 1 to 2: duplicate column"):
        SqliteStore(path)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()


@pytest.mark.parametrize("others", [10, 100_000])
def test_finding_credentials_does_not_depend_on_how_many_others_there_are(tmp_path: Path, others: int) -> None:
    """Every question that a command asks is answered from an index."""
    store = SqliteStore(tmp_path / "key.db")
    store.commit(
        *(
            Save(Credential(number.to_bytes(4), f"{number}.example", -7, b"k", UserEntity(b"u"), discoverable=True))
            for number in range(others)
        )
    )
    questions: list[Callable[[], object]] = [
        lambda: store.credential((7).to_bytes(4)),
        lambda: store.credentials("7.example"),
        lambda: store.rp_id(sha256(b"7.example").digest()),
        store.count,
    ]
    read = 0

    def count() -> int:
        nonlocal read
        read += 1
        return 0

    # SQLite's own virtual machine steps: no clock, so no noise.
    store._connection.set_progress_handler(count, 1)
    for question in questions:
        read = 0
        assert question()
        assert read < 100
    store.close()
