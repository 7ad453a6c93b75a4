"""libfido2's own command-line tools, as Debian ships them, against the key on a pseudo-terminal."""

import base64
import itertools
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.profile import DEFAULT, load
from emulators.fido_authenticator.transports.pty import PtyTransport

pytestmark = pytest.mark.needs("fido2-token", "fido2-cred", "fido2-assert")

PIN = "12345678"
HASH = base64.b64encode(bytes(range(32))).decode()
SALT = base64.b64encode(bytes(range(64, 96))).decode()
RP_ID = "example.org"
USER_ID = base64.b64encode(b"ada's id").decode()

USER_PRESENT, USER_VERIFIED = 0x01, 0x04


@dataclass(frozen=True)
class Key:
    """A key on a pseudo-terminal, and libfido2's tools to use it with."""

    transport: PtyTransport

    @property
    def path(self) -> str:
        """The device to name to a tool."""
        return self.transport.path

    def try_tool(self, *command: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """What the tool did. It asks for PINs on standard input, as it has no terminal.

        The shell between is there so that the tool leads no session: opening a terminal, which our key is, would make it
        the session's, and the tool would ask our key for the PIN.
        """
        return subprocess.run(
            ["/bin/sh", "-c", '"$@"; exit $?', "sh", *command],
            input=given,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            start_new_session=True,
        )

    def tool(self, *command: str, given: str = "") -> str:
        """What the tool prints; it must succeed."""
        done = self.try_tool(*command, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def set_pin(self, pin: str = PIN) -> None:
        """Give a new key a PIN."""
        self.tool("fido2-token", "-S", self.path, given=f"{pin}\n{pin}\n")

    def info(self) -> str:
        """What fido2-token says about it."""
        return self.tool("fido2-token", "-I", self.path)


@pytest.fixture
def key() -> Iterator[Key]:
    """A new key without a PIN, touched as soon as it asks."""
    with _new_key() as key:
        yield key


@contextmanager
def _new_key(profile: str = DEFAULT) -> Iterator[Key]:
    with PtyTransport(CtapHid(Authenticator(Env.real(), load(profile)))) as transport:
        yield Key(transport)


@pytest.fixture(scope="module")
def key_with_pin() -> Iterator[Key]:
    """A key with a PIN, shared by tests that leave it so."""
    with _new_key() as key:
        key.set_pin()
        yield key


@dataclass(frozen=True)
class Credential:
    """What a relying party keeps: the id in base64, and a file with the public key."""

    id: str
    public_key: Path
    blob_key: str | None = None


def _files(folder: Path, **contents: str) -> dict[str, str]:
    """Files for a tool to read, so that its standard input is free for the PIN."""
    for name, content in contents.items():
        (folder / name).write_text(content)
    return {name: str(folder / name) for name in contents}


def _make(
    key: Key,
    folder: Path,
    *flags: str,
    algorithm: str = "es256",
    pin: str = "",
    user: tuple[str, str] = ("ada", USER_ID),
) -> Credential:
    """Make a credential and have libfido2 verify its attestation and what it says about itself."""
    request = _files(folder, request=f"{HASH}\n{RP_ID}\n{user[0]}\n{user[1]}\n")["request"]
    made = key.tool("fido2-cred", "-M", *flags, "-i", request, key.path, algorithm, given=f"{pin}\n" if pin else "")
    lines = made.splitlines()
    blob_key = lines.pop() if "-b" in flags else None
    checked = [flag for flag in flags if flag in ("-h", "-v")]
    verified = key.tool("fido2-cred", "-V", *checked, algorithm, given="\n".join([*lines, ""]))
    credential_id, public_key = verified.split("\n", 1)
    return Credential(credential_id, Path(_files(folder, public=public_key)["public"]), blob_key)


def _assert_args(folder: Path, credential: Credential | None, *, salt: bool = False) -> str:
    lines = [HASH, RP_ID, *([credential.id] if credential else []), *([SALT] if salt else []), ""]
    return _files(folder, challenge="\n".join(lines))["challenge"]


def _verify(key: Key, credential: Credential, asserted: list[str], algorithm: str, *flags: str) -> None:
    """libfido2 accepts the assertion, and refuses it when any of its fields is another."""
    command = ["fido2-assert", "-V", *flags, str(credential.public_key), algorithm]
    fields = asserted[:4]
    assert key.try_tool(*command, given="\n".join([*fields, ""])).returncode == 0
    other_hash = base64.b64encode(bytes(32)).decode()
    for index, wrong in ((0, other_hash), (1, "evil.example"), (3, fields[3][::-1])):
        damaged = [*fields[:index], wrong, *fields[index + 1 :], ""]
        assert key.try_tool(*command, given="\n".join(damaged)).returncode != 0


def _flags(asserted: list[str]) -> int:
    """The flags of the authenticator data, which libfido2 prints as a CBOR byte string."""
    data = base64.b64decode(asserted[2])
    header = 2 if data[0] == 0x58 else 3 if data[0] == 0x59 else 1
    return data[header + 32]


ALGORITHMS = ("es256", "eddsa", "rs256")


@pytest.mark.parametrize(
    ("algorithm", "resident", "secret", "pin"),
    list(itertools.product(ALGORITHMS, (False, True), (False, True), (False, True))),
)
def test_make_and_assert(
    key_with_pin: Key, tmp_path: Path, algorithm: str, *, resident: bool, secret: bool, pin: bool
) -> None:
    """Every combination is made, verified, asserted with and without touch and PIN, and verified, by libfido2 alone."""
    key = key_with_pin
    # A discoverable credential takes the PIN while one is set, whatever the host says.
    made_with_pin = pin or resident
    flags = [*(["-r"] if resident else []), *(["-h"] if secret else []), *(["-v"] if pin else [])]
    user = (f"{algorithm}-{secret}-{pin}", base64.b64encode(f"{algorithm}{secret}{pin}".encode()).decode())
    credential = _make(key, tmp_path, *flags, algorithm=algorithm, pin=PIN if made_with_pin else "", user=user)
    outputs = []
    for verified in (False, True):
        options = ["-t", "up=true", *(["-h"] if secret else []), *(["-v"] if verified else [])]
        challenge = _assert_args(tmp_path, credential, salt=secret)
        given = f"{PIN}\n" if verified else ""
        asserted = key.tool("fido2-assert", "-G", *options, "-i", challenge, key.path, given=given).splitlines()
        assert _flags(asserted) & (USER_PRESENT | USER_VERIFIED) == USER_PRESENT | (USER_VERIFIED if verified else 0)
        _verify(key, credential, asserted, algorithm, "-p", *(["-h"] if secret else []), *(["-v"] if verified else []))
        if secret:
            outputs.append(base64.b64decode(asserted[-1]))
    if secret:
        assert [len(output) for output in outputs] == [32, 32]
        assert outputs[0] != outputs[1], "with and without verification the secrets differ"
        again = key.tool("fido2-assert", "-G", "-t", "up=true", "-h", "-i", challenge, key.path).splitlines()
        assert base64.b64decode(again[-1]) == outputs[0], "the same salt gives the same secret"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_silent_assertion_has_no_touch(key: Key, tmp_path: Path, algorithm: str) -> None:
    """With up=false the key signs without its user and says so."""
    credential = _make(key, tmp_path, algorithm=algorithm)
    challenge = _assert_args(tmp_path, credential)
    asserted = key.tool("fido2-assert", "-G", "-t", "up=false", "-i", challenge, key.path).splitlines()
    assert _flags(asserted) & (USER_PRESENT | USER_VERIFIED) == 0
    _verify(key, credential, asserted, algorithm)


def test_a_pin_is_set_changed_and_forgotten(key: Key) -> None:
    """The whole life of a PIN; wrong ones are counted."""
    assert "noclientPin" in key.info()
    key.set_pin("first-pin")
    assert re.search(r"\bclientPin", key.info())
    assert "pin retries: 8" in key.info()
    wrong = key.try_tool("fido2-token", "-C", key.path, given="wrong-pin\nother-pin\nother-pin\n")
    assert wrong.returncode != 0
    assert "pin retries: 7" in key.info()
    key.tool("fido2-token", "-C", key.path, given="first-pin\nother-pin\nother-pin\n")
    assert "pin retries: 8" in key.info()
    assert key.try_tool("fido2-token", "-I", "-c", key.path, given="first-pin\n").returncode != 0
    key.tool("fido2-token", "-I", "-c", key.path, given="other-pin\n")
    key.transport.power_cycle()
    key.tool("fido2-token", "-R", key.path)
    assert "noclientPin" in key.info()


def test_three_wrong_pins_want_a_replug_and_eight_a_reset(key: Key) -> None:
    """libfido2 sees the same three stages as on a real key."""
    key.set_pin()
    for left in (7, 6, 5):
        assert key.try_tool("fido2-token", "-L", "-r", key.path, given="wrong-pin\n").returncode != 0
        assert f"pin retries: {left}" in key.info()
    assert "pin auth blocked" in key.try_tool(
        "fido2-token", "-L", "-r", key.path, given=f"{PIN}\n"
    ).stderr.lower().replace("_", " ")
    for _ in range(2):
        key.transport.power_cycle()
        for _ in range(3):
            key.try_tool("fido2-token", "-L", "-r", key.path, given="wrong-pin\n")
    assert "pin retries: 0" in key.info()
    key.transport.power_cycle()
    assert key.try_tool("fido2-token", "-L", "-r", key.path, given=f"{PIN}\n").returncode != 0


def test_a_pin_that_is_too_short_is_refused(key: Key) -> None:
    """And the key has no PIN afterwards."""
    assert key.try_tool("fido2-token", "-S", key.path, given="123\n123\n").returncode != 0
    assert "noclientPin" in key.info()


def test_credentials_are_listed_updated_and_deleted(key: Key, tmp_path: Path) -> None:
    """Credential management from end to end."""
    key.set_pin()
    users = {name: base64.b64encode(name.encode() * 4).decode() for name in ("ada", "bob")}
    made = {name: _make(key, tmp_path, "-r", pin=PIN, user=(name, user_id)) for name, user_id in users.items()}
    pin = f"{PIN}\n"
    (relying_party,) = key.tool("fido2-token", "-L", "-r", key.path, given=pin).splitlines()
    assert relying_party.split()[-1] == RP_ID
    listed = key.tool("fido2-token", "-L", "-k", RP_ID, key.path, given=pin)
    assert all(credential.id in listed for credential in made.values())
    assert "existing rk(s): 2" in key.tool("fido2-token", "-I", "-c", key.path, given=pin)
    update = ["-i", made["ada"].id, "-k", users["ada"], "-n", "countess", "-p", "Ada Lovelace"]
    key.tool("fido2-token", "-S", "-c", *update, key.path, given=pin)
    shown = key.tool("fido2-token", "-I", "-k", RP_ID, "-i", made["ada"].id, key.path, given=pin)
    assert made["ada"].id in shown
    assert "Ada Lovelace" in key.tool("fido2-token", "-L", "-k", RP_ID, key.path, given=pin)
    key.tool("fido2-token", "-D", "-i", made["ada"].id, key.path, given=pin)
    listed = key.tool("fido2-token", "-L", "-k", RP_ID, key.path, given=pin)
    assert made["ada"].id not in listed
    assert made["bob"].id in listed


@pytest.mark.parametrize("size", [32, 64, 3000])
def test_a_large_blob_is_kept_read_and_deleted(key: Key, tmp_path: Path, size: int) -> None:
    """Under the key of a credential; what comes out is what went in."""
    key.set_pin()
    credential = _make(key, tmp_path, "-r", "-b", pin=PIN)
    assert credential.blob_key is not None
    content = os.urandom(size)
    (tmp_path / "blob").write_bytes(content)
    blob_key = _files(tmp_path, blob_key=credential.blob_key + "\n")["blob_key"]
    pin = f"{PIN}\n"
    key.tool("fido2-token", "-S", "-b", "-k", blob_key, str(tmp_path / "blob"), key.path, given=pin)
    assert key.tool("fido2-token", "-L", "-b", key.path, given=pin).count("\n") == 2
    key.tool("fido2-token", "-G", "-b", "-k", blob_key, str(tmp_path / "out"), key.path, given=pin)
    assert (tmp_path / "out").read_bytes() == content
    key.tool("fido2-token", "-G", "-b", "-n", RP_ID, str(tmp_path / "found"), key.path, given=pin)
    assert (tmp_path / "found").read_bytes() == content
    key.tool("fido2-token", "-D", "-b", "-k", blob_key, key.path, given=pin)
    gone = key.try_tool("fido2-token", "-G", "-b", "-k", blob_key, str(tmp_path / "gone"), key.path, given=pin)
    assert gone.returncode != 0


def test_the_same_blob_key_comes_with_every_assertion(key: Key, tmp_path: Path) -> None:
    """A relying party need not keep it."""
    key.set_pin()
    credential = _make(key, tmp_path, "-r", "-b", pin=PIN)
    challenge = _assert_args(tmp_path, credential)
    asserted = key.tool("fido2-assert", "-G", "-b", "-v", "-i", challenge, key.path, given=f"{PIN}\n").splitlines()
    assert asserted[-1] == credential.blob_key


@pytest.mark.parametrize("level", [1, 2, 3])
def test_credential_protection_is_signed_and_kept(key: Key, tmp_path: Path, level: int) -> None:
    """Level 2 hides from hosts that do not know the id, level 3 from all that do not verify the user."""
    key.set_pin()
    request = _files(tmp_path, request=f"{HASH}\n{RP_ID}\nada\n{USER_ID}\n")["request"]
    command = ["fido2-cred", "-M", "-r", "-c", str(level), "-i", request, key.path]
    made = key.tool(*command, given=f"{PIN}\n")
    credential_id = key.tool("fido2-cred", "-V", "-c", str(level), given=made).splitlines()[0]
    discovered = _files(tmp_path, discovered=f"{HASH}\n{RP_ID}\n")["discovered"]
    named = _files(tmp_path, named=f"{HASH}\n{RP_ID}\n{credential_id}\n")["named"]
    silent = key.try_tool("fido2-assert", "-G", "-r", "-i", discovered, key.path)
    assert (silent.returncode == 0) is (level == 1)
    listed = key.try_tool("fido2-assert", "-G", "-i", named, key.path)
    assert (listed.returncode == 0) is (level < 3)
    assert key.try_tool("fido2-assert", "-G", "-v", "-i", named, key.path, given=f"{PIN}\n").returncode == 0


def test_several_accounts_are_asserted_one_by_one(key: Key, tmp_path: Path) -> None:
    """getNextAssertion: the newest account first, each signed on its own."""
    made = {}
    for name in ("ada", "bob", "cleo"):
        user_id = base64.b64encode(name.encode()).decode()
        (tmp_path / name).mkdir()
        made[user_id] = _make(key, tmp_path / name, "-r", user=(name, user_id))
    challenge = _assert_args(tmp_path, None)
    lines = key.tool("fido2-assert", "-G", "-r", "-i", challenge, key.path).splitlines()
    assertions = [lines[at : at + 5] for at in range(0, len(lines), 5)]
    assert [base64.b64decode(asserted[4]) for asserted in assertions] == [b"cleo", b"bob", b"ada"]
    for asserted in assertions:
        _verify(key, made[asserted[4]], asserted, "es256")


def test_settings_are_changed(key: Key) -> None:
    """authenticatorConfig: verification always, a longer PIN, a forced change, enterprise attestation."""
    key.set_pin()
    pin = f"{PIN}\n"
    key.tool("fido2-token", "-S", "-u", key.path, given=pin)
    assert re.search(r"(?<!no)alwaysUv", key.info())
    key.tool("fido2-token", "-D", "-u", key.path, given=pin)
    assert "noalwaysUv" in key.info()
    key.tool("fido2-token", "-S", "-a", key.path, given=pin)
    assert re.search(r"(?<!no)\bep\b", key.info())
    key.tool("fido2-token", "-S", "-m", "one.example,two.example", key.path, given=pin)
    key.tool("fido2-token", "-S", "-l", "6", key.path, given=pin)
    assert "minpinlen: 6" in key.info()
    assert key.try_tool("fido2-token", "-S", "-l", "5", key.path, given=pin).returncode != 0
    key.tool("fido2-token", "-S", "-f", key.path, given=pin)
    assert "pin change required: true" in key.info()
    assert key.try_tool("fido2-token", "-L", "-r", key.path, given=pin).returncode != 0


def test_u2f_credentials_work(key: Key, tmp_path: Path) -> None:
    """CTAP1 registration and authentication, verified by libfido2."""
    credential = _make(key, tmp_path, "-u")
    challenge = _assert_args(tmp_path, credential)
    asserted = key.tool("fido2-assert", "-G", "-u", "-t", "up=true", "-i", challenge, key.path).splitlines()
    assert _flags(asserted) == USER_PRESENT
    _verify(key, credential, asserted, "es256", "-p")


def test_a_u2f_credential_is_asserted_with_ctap2(key: Key, tmp_path: Path) -> None:
    """A site that moved from U2F to WebAuthn keeps its users."""
    credential = _make(key, tmp_path, "-u")
    asserted = key.tool("fido2-assert", "-G", "-i", _assert_args(tmp_path, credential), key.path).splitlines()
    _verify(key, credential, asserted, "es256")


def test_a_reset_is_refused_late(key: Key) -> None:
    """Only within ten seconds after power-up."""
    key.transport.hid.authenticator.power_up()
    state = key.transport.hid.authenticator._state
    state.powered_up_at -= 11
    assert key.try_tool("fido2-token", "-R", key.path).returncode != 0
    key.transport.power_cycle()
    key.tool("fido2-token", "-R", key.path)


def test_a_finger_is_enrolled_named_used_and_deleted(tmp_path: Path) -> None:
    """A key with a sensor verifies its user by finger where it would take a PIN otherwise."""
    pin = f"{PIN}\n"
    with _new_key("authrig-bio") as key:
        key.set_pin()
        key.tool("fido2-token", "-S", "-e", key.path, given=pin)
        (listed,) = key.tool("fido2-token", "-L", "-e", key.path, given=pin).splitlines()
        template = listed.split()[1]
        key.tool("fido2-token", "-S", "-e", "-i", template, "-n", "left thumb", key.path, given=pin)
        assert "left thumb" in key.tool("fido2-token", "-L", "-e", key.path, given=pin)
        credential = _make(key, tmp_path)
        challenge = _assert_args(tmp_path, credential)
        asserted = key.tool("fido2-assert", "-G", "-t", "uv=true", "-i", challenge, key.path).splitlines()
        assert _flags(asserted) & USER_VERIFIED
        _verify(key, credential, asserted, "es256", "-v")
        key.tool("fido2-token", "-D", "-e", "-i", template, key.path, given=pin)
        # §6.7.6: of no enrollments at all the key says INVALID_OPTION.
        emptied = key.try_tool("fido2-token", "-L", "-e", key.path, given=pin)
        assert "FIDO_ERR_INVALID_OPTION" in emptied.stderr
