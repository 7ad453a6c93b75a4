import json
import subprocess
import sys

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
