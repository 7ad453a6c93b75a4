"""OpenSSH makes keys on the emulated key, as Debian ships it."""

import base64
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.transports.pty import PtyTransport

pytestmark = pytest.mark.needs("ssh-keygen", "fido2-token")

PIN = "12345678"
APPLICATION = b"\0\0\0\x04ssh:"
VERIFY_REQUIRED = 0x04
TYPES = {"ecdsa-sk": b"sk-ecdsa-sha2-nistp256@openssh.com", "ed25519-sk": b"sk-ssh-ed25519@openssh.com"}


@pytest.fixture
def key() -> Iterator[PtyTransport]:
    """A new key without a PIN, touched as soon as it asks."""
    with PtyTransport(CtapHid(Authenticator(Env.real()))) as transport:
        yield transport


@pytest.fixture
def askpass(tmp_path: Path) -> Path:
    """A program that answers whatever OpenSSH asks with the PIN, and writes down what that was."""
    program = tmp_path / "askpass"
    program.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/asked\necho {PIN}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def _without_terminal(*command: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a tool that must not find a terminal to ask its questions on; see test_libfido2_matrix for the shell."""
    return subprocess.run(
        ["/bin/sh", "-c", '"$@"; exit $?', "sh", *command],
        input=given,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        start_new_session=True,
    )


def _keygen(
    key: PtyTransport, kind: str, file: Path, *options: str, askpass: Path | None = None
) -> subprocess.CompletedProcess[str]:
    arguments = [argument for option in (f"device={key.path}", *options) for argument in ("-O", option)]
    environment = {"SSH_ASKPASS": str(askpass), "SSH_ASKPASS_REQUIRE": "force"} if askpass else {}
    return _without_terminal(
        "ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "a test", "-f", str(file), *arguments, **environment
    )


def _set_pin(key: PtyTransport) -> None:
    done = _without_terminal("fido2-token", "-S", key.path, given=f"{PIN}\n{PIN}\n")
    assert done.returncode == 0, done.stderr


def _public_type(file: Path) -> bytes:
    public = file.with_name(f"{file.name}.pub").read_bytes()
    load_ssh_public_key(public)  # a second reader takes it for a key
    return public.split()[0]


@pytest.mark.parametrize("kind", TYPES)
def test_a_key_is_made_without_a_pin(key: PtyTransport, tmp_path: Path, kind: str) -> None:
    """One touch, and the public key is of the kind that was asked for."""
    done = _keygen(key, kind, tmp_path / "id")
    assert done.returncode == 0, done.stderr
    assert _public_type(tmp_path / "id") == TYPES[kind]
    assert (tmp_path / "id").read_text().startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    assert key.hid.authenticator.store.count() == 0


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("options", [("verify-required",), ("resident",), ("resident", "verify-required")])
def test_a_key_with_a_pin_is_made(
    key: PtyTransport, tmp_path: Path, askpass: Path, kind: str, options: tuple[str, ...]
) -> None:
    """What is kept in the key takes the PIN when it is made; what demands verification says so in its file."""
    _set_pin(key)
    done = _keygen(key, kind, tmp_path / "id", *options, askpass=askpass)
    assert done.returncode == 0, done.stderr
    assert _public_type(tmp_path / "id") == TYPES[kind]
    assert key.hid.authenticator.store.count() == (1 if "resident" in options else 0)
    assert (tmp_path / "asked").exists() is ("resident" in options)
    assert bool(_flags(tmp_path / "id") & VERIFY_REQUIRED) is ("verify-required" in options)


def _flags(file: Path) -> int:
    """What the private key file demands of a signature: the byte that follows the application's name."""
    content = base64.b64decode("".join(file.read_text().splitlines()[1:-1]))
    at = content.rindex(APPLICATION) + len(APPLICATION)
    return content[at]


def test_two_resident_keys_for_two_applications(key: PtyTransport, tmp_path: Path, askpass: Path) -> None:
    """Each stays; the same application and user again takes the place of the first."""
    _set_pin(key)
    for name, application in (("one", "ssh:one"), ("two", "ssh:two")):
        done = _keygen(key, "ed25519-sk", tmp_path / name, "resident", f"application={application}", askpass=askpass)
        assert done.returncode == 0, done.stderr
    assert key.hid.authenticator.store.rp_ids() == ("ssh:one", "ssh:two")


def test_the_attestation_is_written_on_request(key: PtyTransport, tmp_path: Path) -> None:
    """For servers that admit certain keys only."""
    challenge, attestation = tmp_path / "challenge", tmp_path / "attestation"
    challenge.write_bytes(bytes(range(32)))
    done = _keygen(key, "ecdsa-sk", tmp_path / "id", f"challenge={challenge}", f"write-attestation={attestation}")
    assert done.returncode == 0, done.stderr
    assert key.hid.authenticator.authority.batch.certificate in attestation.read_bytes()
