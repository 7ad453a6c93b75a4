import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from fido2 import cbor

from authrig.errors import RigError
from authrig.keys.description import describe_source
from authrig.keys.key_file import KeyFile
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.sqlite_store import SqliteStore
from emulators.fido_authenticator.store import dump

RESET = b"\x07"


def _made(authenticator: Authenticator) -> bytes:
    """The authenticator data of a new credential, its id and public key inside."""
    request = {1: bytes(32), 2: {"id": "a.example"}, 3: {"id": b"ada"}, 4: [{"alg": -7, "type": "public-key"}]}
    answer = authenticator.start(b"\x01" + cbor.encode(request)).answer
    assert answer is not None
    assert answer[0] == 0
    response = cbor.decode(answer[1:])
    assert isinstance(response, dict)
    return bytes(response[2])


def test_a_reset_key_is_still_the_same_product(tmp_path: Path) -> None:
    """A reset forgets the owner, never the factory."""
    path = tmp_path / "my.key"
    key = KeyFile.create(path, seed=7)
    assert key.authenticator().start(RESET).answer == b"\0"
    key.close()
    again = KeyFile.open(path)
    assert (again.profile.name, again.seeded) == ("authrig-2.3", True)
    again.close()


def test_the_same_seed_makes_the_same_keys(tmp_path: Path) -> None:
    """Run by run, whoever looks at it between; no two runs draw the same, for a repeated nonce would be a flaw."""
    runs = []
    for name in ("one.key", "two.key"):
        KeyFile.create(tmp_path / name, seed=7).close()
        for _ in range(2):
            if name == "two.key":
                describe_source(str(tmp_path / name))
            key = KeyFile.open(tmp_path / name)
            runs.append(_made(key.authenticator()))
            key.close()
    assert runs[:2] == runs[2:]
    assert runs[0] != runs[1]


def test_a_seeded_key_says_that_it_is_for_tests_only(tmp_path: Path) -> None:
    """Its secrets can be predicted, and an unseeded key's cannot."""
    for name, seed in (("seeded.key", 7), ("real.key", None)):
        key = KeyFile.create(tmp_path / name, seed=seed)
        assert key.seeded is (seed is not None)
        assert key.authenticator().env.test_only is (seed is not None)
        key.close()


def test_only_its_owner_reads_a_key_file(tmp_path: Path) -> None:
    """The file holds private keys."""
    KeyFile.create(tmp_path / "my.key").close()
    assert (tmp_path / "my.key").stat().st_mode & 0o077 == 0


def test_a_file_from_before_profiles_holds_a_key_of_the_default_one(tmp_path: Path) -> None:
    """What an older version kept is not lost."""
    store, other = SqliteStore(tmp_path / "old.key"), KeyFile.create(tmp_path / "other.key")
    made = _made(Authenticator(other.authenticator().env, store=store))
    before = dump(store)
    store.close()
    other.close()
    key = KeyFile.open(tmp_path / "old.key")
    assert key.profile.name == "authrig-2.3"
    assert dump(key.store) == before
    assert made
    key.close()


def test_a_newer_file_is_refused_and_kept(tmp_path: Path) -> None:
    """The sentence says what to do."""
    path = tmp_path / "my.key"
    KeyFile.create(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(RigError, match="found version 99; use the newer Authrig that wrote it"):
        KeyFile.open(path)
    assert path.read_bytes() == before


def test_a_file_of_an_unknown_profile_is_refused_by_name(tmp_path: Path) -> None:
    """A newer Authrig may know more products; this one must not guess."""
    path = tmp_path / "my.key"
    KeyFile.create(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE records SET value = ? WHERE name = 'factory.profile'", (b"future-key",))
        connection.commit()
    for _ in range(2):
        with pytest.raises(RigError, match=r"my\.key.*found 'future-key'"):
            KeyFile.open(path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """One sentence."""
    with pytest.raises(RigError, match="nowhere"):
        KeyFile.create(tmp_path / "nowhere" / "my.key")
