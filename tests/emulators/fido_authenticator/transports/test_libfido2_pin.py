import subprocess
import sys
from collections.abc import Iterator

import pytest

from emulators.env import Env
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.transports.pty import PtyTransport

# The tool asks for PINs on its terminal only, so it gets one of its own.
_ON_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


@pytest.fixture
def path() -> Iterator[str]:
    """Where libfido2 finds a key with a fingerprint sensor."""
    authenticator = Authenticator(Env.real(), profiles.load("authrig-bio"))
    with PtyTransport(CtapHid(authenticator)) as transport:
        yield transport.path


def _token(*arguments: str, answers: tuple[str, ...] = ()) -> str:
    """What fido2-token shows while ``answers`` are typed, each after a prompt; it must succeed."""
    command = (sys.executable, "-c", _ON_A_TERMINAL, "fido2-token", *arguments)
    shown, left = "", list(answers)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as tool:
        assert tool.stdin is not None
        assert tool.stdout is not None
        while piece := tool.stdout.read(1024):
            shown += piece.decode()
            if left and shown.endswith(": "):
                tool.stdin.write(left.pop(0).encode() + b"\n")
        assert (tool.wait(), left) == (0, []), shown
    return shown


@pytest.mark.needs("fido2-token")
def test_fido2_token_sets_and_changes_a_pin_and_manages_fingers(path: str) -> None:
    """Debian's tool, which speaks the preview of bio enrollment."""
    _token("-S", path, answers=("1234", "1234"))
    assert "pin retries: 8" in _token("-I", path)
    _token("-C", path, answers=("1234", "567890", "567890"))
    enrolled = _token("-S", "-e", path, answers=("567890",))
    assert enrolled.count("Sample ok.") == 4
    assert "00: " in _token("-L", "-e", path, answers=("567890",))
    described = _token("-I", path)
    assert " bioEnroll" in described
    assert " uv," in described


@pytest.mark.needs("fido2-token")
def test_fido2_token_changes_settings(path: str) -> None:
    """The minimum PIN length, and alwaysUv."""
    _token("-S", path, answers=("123456", "123456"))
    _token("-S", "-l", "6", path, answers=("123456",))
    _token("-S", "-u", path, answers=("123456",))
    described = _token("-I", path)
    assert "minpinlen: 6" in described
    assert " alwaysUv" in described
