import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from authrig.cli import main

HEAVY = {
    "cv2",
    "numpy",
    "starlette",
    "uvicorn",
    "sqlalchemy",
    "fido2",
    "cryptography",
    "httpx",
    "aiohttp",
    "jinja2",
    "rich",
}


def test_help_loads_nothing_heavy() -> None:
    """`authrig --help` answers at once, because only a command that runs imports what it runs."""
    program = (
        "import sys, contextlib, io, authrig.cli\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): authrig.cli.main(['--help'])\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert HEAVY.isdisjoint(loaded.split())


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """A newcomer finds the commands."""
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"\n    {command} " in shown for command in ("demo", "serve", "scan", "key", "vm", "doctor"))


def test_doctor_tells_how_to_mend(capsys: pytest.CaptureFixture[str]) -> None:
    """Each finding is either present or comes with the command that mends it, and the exit code says which."""
    code = main(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out)
    assert all(finding["present"] == (finding["mend"] is None) for finding in findings)
    assert code == (0 if all(finding["present"] for finding in findings) else 1)
    assert {"libzbar", "fido2-tools", "camera"} <= {finding["name"] for finding in findings}


_PROGRAM = "import sys, authrig.cli; sys.exit(authrig.cli.main())"
_WORDS = (("--version",), ("rig", "scan"), ("rig", "schema"), ("doctor", "--json"), ("doctor",))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_knows_few_characters(encoding: str, tmp_path: Path) -> None:
    """What it does not know is escaped; nothing is cut off."""
    rig = tmp_path / "r\udcff.toml"
    rig.write_text("version = 2", "utf-8")
    for words in (("doctor",), ("demo", "--out", str(tmp_path / "o\udcff")), ("rig", "check", str(rig))):
        environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "80"}
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, *words], capture_output=True, text=True, check=False, env=environment
        )
        assert "Traceback" not in done.stderr
        assert "\\u2026" not in done.stdout
    assert "r\\udcff.toml is wrong: version" in done.stderr


def _run(words: tuple[str, ...], output: int) -> tuple[int, str]:
    """With output as Python has it for files and pipes: what is short is written at the very end."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *words],
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("words", _WORDS)
def test_a_reader_that_has_seen_enough_is_no_trouble(words: tuple[str, ...]) -> None:
    """As in `authrig rig scan | true`: nothing is said, however little there was to read."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert _run(words, writer) == (1, "")
    finally:
        os.close(writer)


@pytest.mark.parametrize("words", _WORDS)
def test_a_full_disk_is_a_sentence(words: tuple[str, ...]) -> None:
    """And exit code 2: nobody takes half a document for a whole one."""
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        assert _run(words, full.fileno()) == (2, "authrig: the output cannot be written: No space left on device\n")
