"""Two runs with one seed write the same event logs, byte for byte: keys with their hosts, tokens, and scanners."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "import sys, authrig.cli; sys.exit(authrig.cli.main())"
ONLY = {
    "fido": "client_pin or extensions or large_blobs or timing or u2f or power or ping",
    "qr_token": "test_login or test_transaction or left_lying",
    "scanner": "test_payload or smeared",
}
FEWEST = {"fido": 120, "qr_token": 3, "scanner": 10}


RIG = """
version = 1
devices.key = {{ kind = "fido", emulated = {{}} }}
devices.token = {{ kind = "qr-token", emulated = {{}} }}
devices.scanner = {{ kind = "scanner", emulated = {{}} }}
devices.server = {{ kind = "server", emulated = {{ settings = "{settings}" }} }}
"""


def _logs(suite: str, folder: Path, seed: int, *more: str) -> dict[str, bytes]:
    """The event log of each case of a run."""
    if not more:
        more = ("--only", ONLY[suite])
    options = (*more, "--clock", "simulated", "--hil", "emulated", "--evidence", "always", "--artifacts", str(folder))
    command = [sys.executable, "-c", PROGRAM, "test", suite, "--seed", str(seed), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.parent.name: path.read_bytes() for path in folder.glob("*/events.jsonl")}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("suite", list(ONLY))
def test_two_runs_with_one_seed_write_the_same_bytes(suite: str, tmp_path: Path) -> None:
    """Nonces, shared secrets, encrypted PINs, signatures, times: all of it."""
    first, second = (_logs(suite, tmp_path / name, 7) for name in ("first", "second"))
    assert first.keys() == second.keys()
    assert len(first) >= FEWEST[suite]
    assert [name for name in first if first[name] != second[name]] == []
    assert sum(map(len, first.values())) > 5_000


@pytest.mark.timeout(300)
def test_another_seed_writes_others(tmp_path: Path) -> None:
    """Each log of a key begins with a nonce, and that grows from the seed."""
    seven, eight = (_logs("fido", tmp_path / str(seed), seed, "--only", "ping or wink") for seed in (7, 8))
    assert [name for name in seven if seven[name] == eight[name]] == []


@pytest.mark.timeout(600)
def test_the_flows_write_the_same_bytes_too(tmp_path: Path) -> None:
    """Users, challenges and codes of the rig's own server; its port is given, as a key signs the address with the rest."""
    settings, rig = tmp_path / "server.toml", tmp_path / "rig.toml"
    settings.write_text(f"public_port = {_free_port()}\n", "utf-8")
    rig.write_text(RIG.format(settings=settings), "utf-8")
    first, second = (_logs("flows", tmp_path / name, 7, "--rig", str(rig)) for name in ("first", "second"))
    assert len(first) == 4
    assert [name for name in first if first[name] != second.get(name)] == []


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
