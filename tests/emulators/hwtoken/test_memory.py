import hashlib
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.hwtoken.contents import Contents, Slot
from emulators.hwtoken.memory import REPLAY_CACHE_SIZE, FileStore, Identity, MemoryFault, RamStore, TokenMemory

SERIAL, SEED = "QT1-00000042", bytes(range(32))
ID = bytes(range(12))


def provisioned(path: Path) -> TokenMemory:
    """A token's memory in a file."""
    memory = TokenMemory(FileStore(path))
    memory.provision(SERIAL, SEED)
    return memory


def test_a_memory_survives_the_device(tmp_path: Path) -> None:
    """Serial, seed and replay cache come back from the file, which only its owner can read."""
    path = tmp_path / "token"
    assert provisioned(path).remember(ID) is False
    again = TokenMemory(FileStore(path))
    assert again.identity is not None
    assert (again.identity.serial, again.identity.seed, again.shown) == (SERIAL, SEED, (ID,))
    assert again.remember(ID) is True
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_seed_is_not_written_through_a_link(tmp_path: Path) -> None:
    """Somebody laid a link where the new file is prepared."""
    (tmp_path / "token.new").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MemoryFault, match="cannot be written"):
        provisioned(tmp_path / "token")
    assert not (tmp_path / "elsewhere").exists()


def test_a_new_memory_is_empty(tmp_path: Path) -> None:
    """No file, no token; and asking makes no file."""
    assert TokenMemory(FileStore(tmp_path / "token")).identity is None
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="expected a provisioned memory"):
        TokenMemory().remember(ID)


def test_the_replay_cache_holds_the_last_32() -> None:
    """The oldest goes first."""
    memory = TokenMemory()
    memory.provision(SERIAL, SEED)
    ids = [number.to_bytes(12) for number in range(40)]
    assert [memory.remember(challenge) for challenge in ids] == [False] * 40
    assert memory.shown == tuple(ids[-REPLAY_CACHE_SIZE:])
    assert memory.remember(ids[-1]) is True
    assert memory.remember(ids[0]) is False


def test_a_token_is_provisioned_once() -> None:
    """The same again changes nothing; another identity is refused."""
    memory = TokenMemory()
    memory.provision(SERIAL, SEED)
    memory.remember(ID)
    memory.provision(SERIAL, SEED)
    assert memory.shown == (ID,)
    with pytest.raises(ValueError, match="expected a memory without a token, found that of QT1-00000042"):
        memory.provision("QT1-00000043", SEED)
    assert memory.serial == SERIAL


@pytest.mark.parametrize(("serial", "seed"), [("", SEED), ("two words", SEED), ("東", SEED), (SERIAL, b"short")])
def test_only_what_the_protocol_allows_is_kept(serial: str, seed: bytes) -> None:
    """A wrong serial or seed leaves the memory empty."""
    store = RamStore()
    with pytest.raises(ValueError, match="found"):
        TokenMemory(store).provision(serial, seed)
    assert store.load() is None


def test_no_text_shows_the_seed(tmp_path: Path) -> None:
    """Neither a repr nor an error."""
    memory = provisioned(tmp_path / "token")
    shown = repr(memory) + repr(memory.identity) + str(memory)
    (tmp_path / "token").write_bytes((tmp_path / "token").read_bytes().replace(b"0001", b"0101", 1))
    with pytest.raises(MemoryFault) as damaged:
        TokenMemory(FileStore(tmp_path / "token"))
    for text in (shown, str(damaged.value)):
        assert SEED.hex()[4:20] not in text
        assert repr(SEED)[4:20] not in text
    assert SERIAL in shown


def test_a_damaged_file_is_never_a_new_token(tmp_path: Path) -> None:
    """Cut anywhere or with any bit flipped it is refused and left as it is, or says exactly the same."""
    path = tmp_path / "token"
    provisioned(path).remember(ID)
    whole = path.read_bytes()
    flipped = (
        whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :] for at in range(len(whole)) for bit in (0, 5)
    )
    cut = (whole[:length] for length in range(len(whole) - 1))
    for data in (
        *flipped,
        *cut,
        b"null",
        b"[]",
        b"\xff" * 10,
        whole * 2,
        whole.replace(b'"contents":', b'"contents":' + b"[" * 10**5),
    ):
        store = RamStore()
        store.save(data)
        try:
            memory = TokenMemory(store)
        except MemoryFault as fault:
            assert "token memory in RAM is damaged: " in str(fault)  # noqa: PT017 - either outcome is right
            assert "restore it from a copy" in str(fault)  # noqa: PT017 - as above
        else:
            assert memory.identity is not None
            assert (memory.identity.seed, memory.serial, memory.shown) == (SEED, SERIAL, (ID,))
        assert store.load() == data


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_a_sentence(data: bytes) -> None:
    """Whatever else lies in the place of a memory."""
    store = RamStore()
    store.save(data)
    with pytest.raises(MemoryFault, match="token memory in RAM is damaged"):
        TokenMemory(store)


def test_a_memory_of_a_later_version_is_named() -> None:
    """An older program does not guess."""
    store = RamStore()
    TokenMemory(store).provision(SERIAL, SEED)
    data = store.load()
    assert data is not None
    store.save(data.replace(b'"version":3', b'"version":4'))
    with pytest.raises(MemoryFault, match=r"version 3, found .* version 4"):
        TokenMemory(store)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """And nothing is taken for kept."""
    memory = TokenMemory(FileStore(tmp_path / "missing" / "token"))
    with pytest.raises(MemoryFault, match=r"missing/token: cannot be written: No such file or directory"):
        memory.provision(SERIAL, SEED)
    assert memory.identity is None
    with pytest.raises(MemoryFault, match="cannot be read: Is a directory"):
        TokenMemory(FileStore(tmp_path))


class PowerCutError(BaseException):
    """The power is gone."""


class FragileDisk:
    """Files of which a power cut leaves only what was synchronised, and of the rest anything or nothing.

    ``power`` operations succeed, then it is cut before the next.
    """

    def __init__(self) -> None:
        self.power = 10**9
        self._tables: list[dict[Path, list[bytes]]] = [{}]
        """The name tables that a cut may leave, of each name the contents that it may leave; the last is what one reads."""

    def _spend(self) -> None:
        if self.power == 0:
            raise PowerCutError
        self.power -= 1

    def read(self, path: Path) -> bytes:
        """What a running system reads."""
        if path not in self._tables[-1]:
            raise FileNotFoundError(path)
        return self._tables[-1][path][-1]

    def write(self, path: Path, data: bytes) -> None:
        """From here on the file may be empty, half written or whole."""
        self._spend()
        contents = self._tables[-1].get(path)
        if contents is None:
            contents = [b""]
            self._tables.append({**self._tables[-1], path: contents})
        contents += [b"", data[: len(data) // 2], data]

    def sync(self, path: Path) -> None:
        """The file is whole, or the names are as they are."""
        self._spend()
        if path in self._tables[-1]:
            contents = self._tables[-1][path]
            contents[:] = contents[-1:]
        else:
            self._tables[:] = self._tables[-1:]

    def rename(self, path: Path, target: Path) -> None:
        """The names may be the old or the new."""
        self._spend()
        table = dict(self._tables[-1])
        table[target] = table.pop(path)
        self._tables.append(table)

    def after_a_cut(self) -> Iterator["FragileDisk"]:
        """Every disk that one may find when the power is back."""
        for table in self._tables:
            for contents in product(*table.values()):
                disk = FragileDisk()
                disk._tables = [{name: [data] for name, data in zip(table, contents, strict=True)}]
                yield disk


def test_a_power_cut_at_any_write_leaves_the_old_memory_or_the_new() -> None:
    """Provisioning and each answer, cut before every operation; what returned is there for good."""
    path = Path("/dev/token/memory")
    ids = [number.to_bytes(12) for number in range(3)]
    cuts = 0
    for power in range(100):
        disk = FragileDisk()
        disk.power = power
        acknowledged: set[bytes | str] = set()
        begun: set[bytes | str] = set()
        try:
            memory = TokenMemory(FileStore(path, disk))
            begun.add(SERIAL)
            memory.provision(SERIAL, SEED)
            acknowledged.add(SERIAL)
            for challenge in ids:
                begun.add(challenge)
                memory.remember(challenge)
                acknowledged.add(challenge)
        except PowerCutError:
            cuts += 1
        for left in disk.after_a_cut():
            again = TokenMemory(FileStore(path, left))
            found = {*again.shown} | ({again.serial} if again.serial else set())
            assert acknowledged <= found <= begun
            assert again.identity is None or again.identity.seed == SEED
            again.provision(SERIAL, SEED)
            assert again.remember(b"after the cut") is False
        if len(acknowledged) == 1 + len(ids):
            break
    assert cuts == 4 * (1 + len(ids))


def test_a_memory_of_version_1_is_read() -> None:
    """As written by the first release: serial, seed and replay cache."""
    contents = b'{"serial":"%s","seed":"%s","shown":["%s"]}' % (SERIAL.encode(), SEED.hex().encode(), ID.hex().encode())
    checksum = hashlib.sha256(contents).hexdigest().encode()
    store = RamStore()
    store.save(
        b'{"format":"authrig emulated token memory","version":1,"sha256":"%s","contents":%s}' % (checksum, contents)
    )
    memory = TokenMemory(store)
    assert memory.identity == Identity(SERIAL, SEED)
    assert memory.shown == (ID,)


def test_a_wiped_token_is_as_it_left_the_maker() -> None:
    """Its factory key and the maker's public key stay; what came with an activation goes."""
    memory = TokenMemory()
    memory.manufacture(SERIAL, factory_key=SEED, verify_key=bytes(32))
    new = memory.contents
    memory.update(seed=SEED.hex(), counter=7, sequence=3, pin_tries_spent=2)
    memory.wipe()
    assert memory.contents == new
    memory.update(seed=SEED.hex(), label="Bank", verify_key="11" * 32)
    memory.wipe()
    assert memory.contents == new
    with pytest.raises(ValueError, match="expected a memory without a token"):
        memory.manufacture(SERIAL)


def test_a_wiped_token_can_be_provisioned_again_but_a_zeroised_one_cannot() -> None:
    """Opening the case ends a token."""
    memory = TokenMemory()
    memory.provision(SERIAL, SEED)
    memory.wipe()
    assert memory.contents == Contents(SERIAL)
    memory.provision(SERIAL, bytes(32))
    assert memory.identity == Identity(SERIAL, bytes(32))
    memory.zeroise()
    with pytest.raises(ValueError, match="expected a memory without a token"):
        memory.provision(SERIAL, SEED)
    assert memory.contents == Contents(SERIAL, zeroised=True)


def _version_2(contents: bytes) -> TokenMemory:
    """A memory as the second release wrote it."""
    store = RamStore()
    checksum = hashlib.sha256(contents).hexdigest().encode()
    store.save(
        b'{"format":"authrig emulated token memory","version":2,"sha256":"%s","contents":%s}' % (checksum, contents)
    )
    return TokenMemory(store)


def test_a_memory_of_version_2_keeps_the_maker_s_key() -> None:
    """Before its first activation a token's one public key can only be the maker's; after it nobody knows."""
    key, serial = b"11" * 32, SERIAL.encode()
    new = _version_2(b'{"serial":"%s","verify_key":"%s"}' % (serial, key))
    assert new.contents.factory_verify_key == key.decode()
    used = _version_2(
        b'{"serial":"%s","seed":"%s","verify_key":"%s","label":"Bank"}' % (serial, SEED.hex().encode(), key)
    )
    assert used.contents.factory_verify_key is None
    assert used.contents.verify_key == key.decode()


def test_what_could_not_be_read_again_is_not_written() -> None:
    """A slot without a name would make the whole memory unreadable."""
    store = RamStore()
    memory = TokenMemory(store)
    memory.provision(SERIAL, SEED)
    before = store.load()
    with pytest.raises(MemoryFault, match="cannot keep this"):
        memory.update(slots=(Slot("lseqr", "", {}),))
    assert store.load() == before
    assert memory.contents.slots == ()
