"""What the page about running a token shows is what happens."""

import doctest
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from authrig.cli import build_parser
from authrig.pictures import print_code
from offline_qr import otq1
from tests.authrig.tokens.logins import KEYS, challenge

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "how-to" / "run-a-token.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
SHOWN = re.findall(
    r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", "".join(block for block in BLOCKS if block.startswith("$ ")), re.MULTILINE
)
COMMANDS = re.findall(r"^(?:\$ )?(?:.*\| )?(authrig token [^#\n]*)", "".join(BLOCKS), re.MULTILINE)


def test_what_is_shown_happens(tmp_path: Path) -> None:
    """Command by command in one folder, as a reader would."""
    (tmp_path / "qr.png").write_bytes(print_code(otq1.encode(challenge(time.time()), KEYS)))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    checker = doctest.OutputChecker()
    assert len(SHOWN) > 7
    for command, expected in SHOWN:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), f"{command}\n{done.stdout}"
        assert checker.check_output(expected, done.stdout, doctest.ELLIPSIS), f"{command}\n{done.stdout}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_on_the_page_exists(command: str) -> None:
    """With its options, also where the page cannot be run here (webcams, kernels)."""
    args = build_parser().parse_args(shlex.split(command)[1:])
    assert callable(args.run)


def test_every_action_is_in_the_reference() -> None:
    """The table of the command line names all of them."""
    table = (DOCS / "reference" / "cli.md").read_text()
    usage = build_parser().format_help()
    assert " token " in usage
    for action in (
        "new",
        "run",
        "activate",
        "press",
        "type",
        "scan",
        "screen",
        "wait",
        "power",
        "network",
        "state",
        "profiles",
    ):
        assert re.search(rf"`(authrig )?token {action}\b", table), action
