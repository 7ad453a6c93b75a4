import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.fido_authenticator.profile import load
from tests.vm.conftest import Plug, run, wait_for

PORT = 2222
EDDSA = -8
TYPES = ["ecdsa-sk", *(["ed25519-sk"] if EDDSA in load().algorithms else [])]
"""What OpenSSH can make on a security key, as far as the emulated one knows the algorithm."""


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Path]:
    """A server on loopback; returns the file of the keys that it accepts."""
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "host")
    accepted = tmp_path / "accepted"
    accepted.touch()
    settings = tmp_path / "sshd_config"
    settings.write_text(
        f"Port {PORT}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\nAuthorizedKeysFile {accepted}\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nStrictModes no\nUsePAM no\nPidFile none\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    program = shutil.which("sshd")
    assert program is not None
    log = tmp_path / "sshd.log"
    with log.open("wb") as errors, subprocess.Popen([program, "-D", "-e", "-f", settings], stderr=errors) as server:
        wait_for(lambda: "Server listening" in log.read_text())
        yield accepted
        server.terminate()


def _log_in(tmp_path: Path, *, code: int = 0) -> str:
    """What the command that is run by logging in prints."""
    options = {
        "BatchMode": "yes",
        "IdentitiesOnly": "yes",
        "StrictHostKeyChecking": "accept-new",
        "UserKnownHostsFile": str(tmp_path / "known_hosts"),
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return run(
        "ssh",
        "-F",
        "none",
        *words,
        "-i",
        tmp_path / "key",
        "-p",
        str(PORT),
        "root@127.0.0.1",
        "echo logged in",
        code=code,
    )


@pytest.mark.parametrize("type_", TYPES)
def test_a_login_needs_the_key(plug: Plug, sshd: Path, tmp_path: Path, type_: str) -> None:
    """A real server accepts it, no longer accepts it when the key is pulled out, and again when it is back."""
    key = plug()
    assert key.path
    run("ssh-keygen", "-q", "-t", type_, "-N", "", "-f", tmp_path / "key")
    assert _log_in(tmp_path, code=255) == ""
    sshd.write_bytes((tmp_path / "key.pub").read_bytes())
    assert _log_in(tmp_path) == "logged in\n"
    key.unplug()
    assert _log_in(tmp_path, code=255) == ""
    key.plug_in()
    assert key.path
    assert _log_in(tmp_path) == "logged in\n"


@pytest.mark.parametrize("type_", TYPES)
def test_a_file_is_signed_and_verified(plug: Plug, tmp_path: Path, type_: str) -> None:
    """`ssh-keygen -Y`: the signature is of this file, and of no other."""
    assert plug().path
    run("ssh-keygen", "-q", "-t", type_, "-N", "", "-f", tmp_path / "key")
    (tmp_path / "message").write_text("pay ten")
    run("ssh-keygen", "-q", "-Y", "sign", "-f", tmp_path / "key", "-n", "file", tmp_path / "message")
    (tmp_path / "signers").write_text(f"ada {(tmp_path / 'key.pub').read_text()}")
    verify = ("ssh-keygen", "-Y", "verify", "-f", tmp_path / "signers", "-I", "ada", "-n", "file", "-s")
    assert "Good" in run(*verify, tmp_path / "message.sig", stdin="pay ten")
    run(*verify, tmp_path / "message.sig", stdin="pay eleven", code=255)


def test_a_key_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """Nothing is made without a key."""
    assert os.environ["AUTHRIG_VM"] == "1"
    run("ssh-keygen", "-q", "-t", "ecdsa-sk", "-N", "", "-f", tmp_path / "key", code=255)
    assert not (tmp_path / "key").exists()
