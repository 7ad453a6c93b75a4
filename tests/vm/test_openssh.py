import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulators.fido_authenticator.profile import load
from emulators.fido_authenticator.user import Decision, HandUser, UserRequest
from tests.vm.conftest import Plug, run, set_pin, wait_for

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


def _log_in(identity: Path, *, code: int = 0) -> str:
    """What the command that is run by logging in prints."""
    options = {
        "KexAlgorithms": "curve25519-sha256",  # the default is safe from computers of the future, and slow on this one
        "PreferredAuthentications": "publickey",
        "NumberOfPasswordPrompts": "1",
        "IdentitiesOnly": "yes",
        "StrictHostKeyChecking": "accept-new",
        "UserKnownHostsFile": str(identity.parent / "known_hosts"),
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return run("ssh", "-F", "none", *words, "-i", identity, "-p", str(PORT), "root@127.0.0.1", "echo in", code=code)


@pytest.fixture
def pin_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Has OpenSSH's questions answered with a PIN, by a program of the kind that shows a window; it logs each question."""

    def type_(pin: str) -> Path:
        program, asked = tmp_path / "askpass", tmp_path / "asked"
        program.write_text(f'#!/bin/sh\necho "$1" >>{asked}\necho {pin}\n')
        program.chmod(0o700)
        asked.write_text("")
        monkeypatch.setenv("SSH_ASKPASS", str(program))
        monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
        return asked

    return type_


@pytest.mark.parametrize("type_", TYPES)
def test_a_login_needs_the_key(plug: Plug, sshd: Path, tmp_path: Path, type_: str) -> None:
    """A real server accepts it, no longer accepts it when the key is pulled out, and again when it is back."""
    key = plug()
    assert key.path
    run("ssh-keygen", "-q", "-t", type_, "-N", "", "-f", tmp_path / "key")
    assert _log_in(tmp_path / "key", code=255) == ""
    sshd.write_bytes((tmp_path / "key.pub").read_bytes())
    assert _log_in(tmp_path / "key") == "in\n"
    key.unplug()
    assert _log_in(tmp_path / "key", code=255) == ""
    key.plug_in()
    assert key.path
    assert _log_in(tmp_path / "key") == "in\n"


def test_a_login_needs_the_touch(plug: Plug, sshd: Path, tmp_path: Path) -> None:
    """Making the key and each login ask for one; with the finger withheld there is no login."""
    user = HandUser()
    asked = list[str]()
    decision = Decision.GRANTED

    def answer(request: UserRequest) -> None:
        asked.append(request.prompt.value)
        user.answer(decision)

    user.on_request = answer
    assert plug(user=user).path
    run("ssh-keygen", "-q", "-t", "ecdsa-sk", "-N", "", "-f", tmp_path / "key")
    sshd.write_bytes((tmp_path / "key.pub").read_bytes())
    assert _log_in(tmp_path / "key") == "in\n"
    assert asked == ["register", "log in"]
    decision = Decision.DENIED
    assert _log_in(tmp_path / "key", code=255) == ""
    assert "log in" in asked[2:]


@pytest.mark.parametrize("type_", TYPES)
def test_a_resident_key_is_used_with_the_pin_and_found_again_on_another_machine(
    plug: Plug, sshd: Path, tmp_path: Path, pin_typed: Callable[[str], Path], type_: str
) -> None:
    """Made with `-O resident -O verify-required`; the server insists on the PIN; `ssh-keygen -K` brings the key back."""
    set_pin(plug().path, "2468")
    asked = pin_typed("2468")
    options = ["-O", "resident", "-O", "verify-required", "-O", "application=ssh:authrig"]
    run("ssh-keygen", "-q", "-t", type_, *options, "-N", "", "-f", tmp_path / "key")
    public = (tmp_path / "key.pub").read_text().split()
    sshd.write_text(f"verify-required {public[0]} {public[1]}\n")
    assert _log_in(tmp_path / "key") == "in\n"
    assert asked.read_text().count("Enter PIN") == 2

    found = tmp_path / "another machine"
    found.mkdir()
    run("ssh-keygen", "-q", "-K", "-N", "", cwd=found)
    (private,) = (path for path in found.iterdir() if path.suffix != ".pub")
    assert private.with_name(f"{private.name}.pub").read_text().split()[1] == public[1]
    assert _log_in(private) == "in\n"

    pin_typed("1357")
    assert _log_in(private, code=255) == ""


def test_a_server_that_insists_on_the_pin_refuses_a_touch_alone(plug: Plug, sshd: Path, tmp_path: Path) -> None:
    """The same key, accepted where it need not be verified."""
    assert plug().path
    run("ssh-keygen", "-q", "-t", "ecdsa-sk", "-N", "", "-f", tmp_path / "key")
    public = (tmp_path / "key.pub").read_text()
    sshd.write_text(f"verify-required {public}")
    assert _log_in(tmp_path / "key", code=255) == ""
    sshd.write_text(public)
    assert _log_in(tmp_path / "key") == "in\n"


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
