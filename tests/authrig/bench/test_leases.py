import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from authrig.bench.leases import Leases, lease_folder
from authrig.errors import RigError

TAKE = """
import sys
from pathlib import Path
from authrig.bench.leases import Leases
leases = Leases(Path(sys.argv[1]), float(sys.argv[2]))
leases.take("key-b", "serial 1234")
print("taken", flush=True)
sys.stdin.read()
"""


def _other_run(folder: Path, seconds: float = 60) -> "subprocess.Popen[str]":
    """Another process that holds the lease until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE, str(folder), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "taken\n"
    return process


def test_two_runs_do_not_meet_at_one_device(tmp_path: Path) -> None:
    """The second is told who has it, and gets it once the first has ended, however it ends."""
    leases = Leases(tmp_path)
    with _other_run(tmp_path) as other:
        with pytest.raises(RigError, match=rf"^key-b is leased to another run \(process {other.pid}; "):
            leases.take("key-b", "serial 1234")
        leases.take("key-a", "serial 77")
        other.kill()
        other.wait()
    leases.take("key-b", "serial 1234")
    leases.close()


def test_a_lease_that_has_expired_says_what_to_do(tmp_path: Path) -> None:
    """A run that hangs is named, so that it can be ended."""
    with _other_run(tmp_path, -1) as other:
        with pytest.raises(RigError, match=f"since longer than a run takes: kill {other.pid}"):
            Leases(tmp_path).take("key-b", "serial 1234")
        other.kill()


def test_a_lease_is_given_back(tmp_path: Path) -> None:
    """And then another may take it; the same run may take one twice."""
    first, second = Leases(tmp_path), Leases(tmp_path)
    first.take("key-b", "serial 1234")
    first.take("key-b", "serial 1234")
    with pytest.raises(RigError, match=f"process {os.getpid()}"):
        second.take("key-b", "serial 1234")
    first.give_back("serial 1234")
    second.take("key-b", "serial 1234")
    assert json.loads(next(tmp_path.iterdir()).read_text())["device"] == "key-b"
    second.close()


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    """It names the file."""
    (tmp_path / "file").touch()
    with pytest.raises(RigError, match="the lease of key-b cannot be written to "):
        Leases(tmp_path / "file").take("key-b", "serial 1234")


def test_without_a_runtime_folder_leases_are_for_this_user_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder of the machine's temporary files that nobody else can read."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    leases = Leases()
    leases.take("key-b", "serial 1234")
    leases.close()
    assert lease_folder() == tmp_path / f"authrig-leases-{os.getuid()}"
    assert stat.S_IMODE(lease_folder().stat().st_mode) == 0o700


@pytest.mark.parametrize("trap", ["link", "open", "stranger"])
def test_a_folder_that_somebody_else_made_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str
) -> None:
    """Its name can be foretold, and what is locked there would be theirs to give; the sentence says what to do."""
    folder = tmp_path / "leases"
    if trap == "link":
        (tmp_path / "elsewhere").mkdir()
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.mkdir()
    if trap == "open":
        folder.chmod(0o777)
    if trap == "stranger":
        monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    why = {"link": "is no folder", "open": "can be written by others", "stranger": "belongs to the user [0-9]+"}[trap]
    with pytest.raises(RigError, match=f"which {why}: remove it, or set XDG_RUNTIME_DIR"):
        Leases(folder).take("key-b", "serial 1234")
    assert not list((tmp_path / "elsewhere").iterdir() if trap == "link" else folder.iterdir())
