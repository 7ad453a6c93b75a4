import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authrig.errors import RigError
from authrig.tokens.token_file import AppAccount, TokenFile
from emulators.hwtoken.memory import MemoryFault
from emulators.hwtoken.profile import profile_names


@pytest.mark.parametrize("profile", profile_names())
def test_every_model_can_be_a_file(tmp_path: Path, profile: str) -> None:
    """Made, closed, opened: the same serial and model, and a factory key of its own."""
    with TokenFile.create(tmp_path / "a", profile) as file:
        serial, model = file.memory().serial, file.profile
    with TokenFile.open(tmp_path / "a") as file:
        assert (file.memory().serial, file.profile) == (serial, model)
        assert file.memory().contents.factory_key is not None


def test_no_text_shows_a_secret(tmp_path: Path) -> None:
    """A trace back or a log line may hold any of these."""
    with TokenFile.create(tmp_path / "a", seed=1) as file:
        file.memory().provision(file.memory().serial or "", bytes(range(32)))
        file.keep(app=AppAccount("https://example.ch", "d", "22" * 32, ""))
        shown = repr(file.kept) + repr(file) + repr(file.memory()) + repr(file.kept.app)
    assert bytes(range(32)).hex() not in shown
    assert "22" * 32 not in shown


def test_a_newer_version_is_named_and_kept(tmp_path: Path) -> None:
    """It may hold what this version would lose."""
    path = tmp_path / "a"
    TokenFile.create(path).close()
    newer = json.loads(path.read_bytes()) | {"version": 2}
    path.write_text(json.dumps(newer))
    with pytest.raises(RigError, match="version 2"):
        TokenFile.open(path)
    assert json.loads(path.read_text()) == newer


def test_a_disk_that_refuses_shows_the_memory_fault(tmp_path: Path) -> None:
    """The token learns of it as of a worn-out memory; the file keeps what it had."""
    path = tmp_path / "a"
    with TokenFile.create(path) as file:
        memory = file.memory()
        before = path.read_bytes()
        path.chmod(0o400)
        with pytest.raises(MemoryFault, match="read-only"):
            memory.provision(memory.serial or "", bytes(32))
        with pytest.raises(RigError, match="read-only"):
            file.keep(runs=5)
        assert path.read_bytes() == before
        assert file.kept.runs == 0


@given(st.integers(0, 10**6), st.integers(0, 7))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_flipped_bit_goes_unnoticed(tmp_path_factory: pytest.TempPathFactory, at: int, bit: int) -> None:
    """A file that rotted is refused, wherever it did; white space at its very end says nothing."""
    path = tmp_path_factory.mktemp("rot") / "a"
    TokenFile.create(path, seed=1).close()
    good = path.read_bytes()
    at %= len(good.rstrip())
    bad = bytearray(good)
    bad[at] ^= 1 << bit
    path.write_bytes(bad)
    with pytest.raises(RigError, match="token file"):
        TokenFile.open(path)
    assert path.read_bytes() == bad
