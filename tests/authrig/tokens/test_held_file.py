import subprocess
import sys
from pathlib import Path

import pytest

from authrig.errors import RigError
from authrig.tokens.held_file import MAX_BYTES, HeldFile
from tests.authrig.tokens.kills import Killed, killed_after


def read(path: Path) -> bytes:
    """What someone else finds."""
    held = HeldFile.open(path)
    try:
        return held.read()
    finally:
        held.close()


def test_killed_at_any_call_the_file_is_the_old_or_the_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the new one once the call has returned."""
    path = tmp_path / "a"
    HeldFile.create(path, b"old").close()
    found = []
    for calls in range(20):
        held = HeldFile.open(path)
        try:
            with killed_after(monkeypatch, calls):
                held.replace(b"new" * calls)
            break
        except Killed:
            held.close()
            found.append(read(path))
            assert found[-1] in {b"old", *(b"new" * each for each in range(calls + 1))}
    else:
        pytest.fail("it makes more calls than 20")
    held.close()
    assert read(path) == b"new" * calls
    assert b"old" in found
    assert calls > 4


def test_killed_while_it_is_made_there_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never an empty file that would pass for a token."""
    for calls in range(20):
        path = tmp_path / f"file{calls}"
        try:
            with killed_after(monkeypatch, calls):
                HeldFile.create(path, b"all").close()
            break
        except Killed:
            assert not path.exists() or read(path) == b"all"
    assert read(path) == b"all"
    assert {each.name for each in tmp_path.iterdir()} <= {f"file{number}" for number in range(calls + 1)}


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """Also after it was replaced, which makes another file of it; and not after it was closed."""
    path = tmp_path / "a"
    held = HeldFile.create(path, b"1")
    program = (
        f"from authrig.tokens.held_file import HeldFile; from pathlib import Path; HeldFile.open(Path({str(path)!r}))"
    )
    for content in (b"2", b"3"):
        other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert "another process is using it" in other.stderr
        with pytest.raises(RigError, match="another process"):
            HeldFile.open(path)
        held.replace(content)
    held.close()
    assert read(path) == b"3"


def test_what_a_killed_process_left_behind_is_no_hindrance(tmp_path: Path) -> None:
    """Half of a replacement lies beside the file; the next replacement takes its place."""
    path = tmp_path / "a"
    held = HeldFile.create(path, b"1")
    (tmp_path / "a.new").write_bytes(b"half of something that was longer")
    held.replace(b"2")
    held.close()
    assert path.read_bytes() == b"2"
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it points to is replaced; a link in the way of the replacement is not followed."""
    target, link = tmp_path / "target", tmp_path / "link"
    HeldFile.create(target, b"1").close()
    link.symlink_to(target)
    held = HeldFile.open(link)
    held.replace(b"2")
    assert link.is_symlink()
    assert target.read_bytes() == b"2"
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    (tmp_path / "target.new").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic"):
        held.replace(b"3")
    held.close()
    assert (precious.read_bytes(), target.read_bytes()) == (b"precious", b"2")


def test_links_in_a_circle_and_names_that_are_none(tmp_path: Path) -> None:
    """A sentence each."""
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    for path in (circle, tmp_path / ("x" * 300), tmp_path / "nul\0", Path("/dev/null"), tmp_path / "a" / "b"):
        with pytest.raises(RigError, match="token file"):
            HeldFile.open(path)


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    """The file stays as it was."""
    held = HeldFile.create(tmp_path / "a", b"1")
    with pytest.raises(OSError, match="expected up to"):
        held.replace(bytes(MAX_BYTES + 1))
    held.close()
    assert read(tmp_path / "a") == b"1"


def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    """It holds keys, if only of a test device."""
    held = HeldFile.create(tmp_path / "a", b"1")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    held.replace(b"2")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    held.close()
