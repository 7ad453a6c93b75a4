from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.messages import UserEntity
from emulators.fido_authenticator.sqlite_store import SqliteStore
from emulators.fido_authenticator.store import (
    Change,
    Delete,
    Erase,
    MemoryStore,
    Put,
    Remove,
    Save,
    Store,
    dump,
)

MakeStore = Callable[[], Store]


@pytest.fixture(params=["memory", "sqlite"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    """A way to make one store, in memory or in a file."""
    return MemoryStore if request.param == "memory" else lambda: SqliteStore(tmp_path / "key.db")


def _credential(
    number: int, rp_id: str = "example.com", user: bytes | None = None, *, found: bool = True
) -> Credential:
    return Credential(
        bytes([number]), rp_id, -7, b"secret", UserEntity(user or bytes([number]), "name"), discoverable=found
    )


def test_records_and_credentials_are_kept_and_forgotten(make_store: MakeStore) -> None:
    """The whole port, once through."""
    store = make_store()
    one, two, other = _credential(1), _credential(2), _credential(3, "example.org")
    store.commit(Put("pin", b"1"), Put("blob", b""), Save(one), Save(two), Save(other))
    assert (store.get("pin"), store.get("blob"), store.get("nothing")) == (b"1", b"", None)
    assert (store.names(), store.rp_ids(), store.count()) == (("blob", "pin"), ("example.com", "example.org"), 3)
    assert (store.credential(b"\x01"), store.credential(b"\x09")) == (one, None)
    assert store.credentials("example.com") == (two, one)
    assert store.rp_id(sha256(b"example.com").digest()) == "example.com"
    store.commit(Put("pin", b"2"), Remove("blob"), Remove("nothing"), Delete(b"\x01"), Delete(b"\x09"))
    assert (store.get("pin"), store.names(), store.credentials("example.com")) == (b"2", ("pin",), (two,))
    store.commit(Save(_credential(4, "sealed.example", found=False)))
    assert (store.rp_ids(discoverable=True), store.count()) == (("example.com", "example.org"), 2)
    assert store.rp_ids() == ("example.com", "example.org", "sealed.example")
    store.commit(Erase(), Put("pin", b"3"))
    assert store.rp_id(sha256(b"example.com").digest()) is None
    assert (store.names(), store.rp_ids(), store.count(), store.credential(b"\x02")) == (("pin",), (), 0, None)
    store.close()


def test_an_account_has_one_discoverable_credential(make_store: MakeStore) -> None:
    """A newer one takes its place; an updated one stays in its own; those that nobody discovers may be many."""
    store = make_store()
    store.commit(Save(_credential(1, user=b"ada")), Save(_credential(2)), Save(_credential(3, user=b"ada")))
    assert [credential.id[0] for credential in store.credentials("example.com")] == [3, 2]
    renamed = Credential(b"\x02", "example.com", -7, b"secret", UserEntity(b"\x02", "new name"), discoverable=True)
    store.commit(Save(renamed))
    assert store.credentials("example.com") == (_credential(3, user=b"ada"), renamed)
    store.commit(Save(_credential(4, user=b"ada", found=False)), Save(_credential(5, user=b"ada", found=False)))
    assert store.count() == 2
    store.commit(Save(_credential(6, user=b"ada")), Save(_credential(6, user=b"ada", found=False)))
    store.commit(Save(_credential(7, user=b"ada")), Delete(b"\x06"), Delete(b"\x03"))
    assert [credential.id[0] for credential in store.credentials("example.com")] == [7, 5, 4, 2]
    store.close()


_CHANGES = st.one_of(
    st.builds(Put, st.sampled_from("ab"), st.binary(max_size=3)),
    st.builds(Remove, st.sampled_from("ab")),
    st.builds(
        lambda number, rp_id, user, found: Save(_credential(number, f"{rp_id}{number % 2}", user, found=found)),
        st.integers(0, 7),
        st.just("rp"),
        st.sampled_from([b"ada", b"bob"]),
        st.booleans(),
    ),
    st.builds(lambda number: Delete(bytes([number])), st.integers(0, 7)),
    st.just(Erase()),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(_CHANGES, max_size=4), max_size=6))
def test_both_stores_agree_on_every_history(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Change]]
) -> None:
    """Memory is the model of the file, and the file is the same when it is opened again."""
    path = tmp_path_factory.mktemp("store") / "key.db"
    memory, file = MemoryStore(), SqliteStore(path)
    for batch in batches:
        memory.commit(*batch)
        file.commit(*batch)
        assert dump(file) == dump(memory)
        assert (file.count(), file.rp_ids(discoverable=True)) == (memory.count(), memory.rp_ids(discoverable=True))
        for rp_id in ("rp0", "rp1"):
            rp_id_hash = sha256(rp_id.encode()).digest()
            assert file.rp_id(rp_id_hash) == memory.rp_id(rp_id_hash)
    file.close()
    again = SqliteStore(path)
    assert dump(again) == dump(memory)
    again.close()
