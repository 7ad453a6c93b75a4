import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fido2.mds3 import MetadataStatement

from authrig.cli import main
from emulators.fido_authenticator.profile import names
from emulators.fido_authenticator.sqlite_store import SqliteStore

AUTHRIG = str(Path(sys.executable).with_name("authrig"))


NAMES = ("root", "batch", "enterprise")


@contextmanager
def _key(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `authrig key run` and the first path that it printed."""
    with subprocess.Popen(
        [AUTHRIG, "key", "run", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.terminate()


def _tool(*command: str, given: str = "") -> str:
    return subprocess.run(command, input=given, capture_output=True, text=True, check=True, timeout=20).stdout


REQUEST = "jX3yYbmFEWKHC4vYSDZ8x2OMMfWZ9dKfqtAo3o9XN2o=\nexample.org\nalice\nYWxpY2U=\n"


@pytest.mark.needs("fido2-token", "fido2-cred", "fido2-assert")
def test_a_credential_outlives_the_key_process(tmp_path: Path) -> None:
    """Made with libfido2's tools, kept in the store, used by the next process."""
    store = str(tmp_path / "my.key")
    assert main(["key", "new", store]) == 0
    with _key(store) as (_, path):
        assert "FIDO_2_0" in _tool("fido2-token", "-I", path)
        made = _tool("fido2-cred", "-M", path, given=REQUEST)
        credential_id, *public_key = _tool("fido2-cred", "-V", given=made).splitlines()
    public = tmp_path / "public.pem"
    public.write_text("\n".join(public_key))
    with _key(store) as (_, path):
        assertion = _tool(
            "fido2-assert", "-G", path, given=f"{REQUEST.splitlines()[0]}\nexample.org\n{credential_id}\n"
        )
    _tool("fido2-assert", "-V", str(public), "es256", given=assertion)


@pytest.mark.needs("fido2-cred")
def test_a_line_is_a_touch(tmp_path: Path) -> None:
    """With --touch hand the key waits for its user, and a line on standard input is the touch."""
    with (
        _key("--touch", "hand", "--traffic") as (key, path),
        subprocess.Popen(
            ["fido2-cred", "-M", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as client,
    ):
        assert client.stdin is not None
        assert key.stdin is not None
        assert key.stderr is not None
        client.stdin.write(REQUEST)
        client.stdin.close()
        waiting = next(line for line in key.stderr if "KEEPALIVE UPNEEDED" in line)
        assert waiting.startswith("key → host")
        assert client.poll() is None
        key.stdin.write("\n")
        key.stdin.flush()
        assert client.wait(timeout=20) == 0


def test_it_ends_cleanly_when_told_to() -> None:
    """SIGTERM is how a script ends it: exit code 0 and no traceback."""
    with _key() as (process, path):
        assert os.path.exists(path)  # noqa: PTH110 - a device node that is about to vanish
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_pty_is_the_short_word_for_a_new_key_on_a_terminal() -> None:
    """`authrig key pty` prints a path and serves it."""
    with subprocess.Popen([AUTHRIG, "key", "pty"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("/dev/pts/")
        process.terminate()


@pytest.mark.parametrize("command", [["run"], ["info"], ["list"]])
def test_a_damaged_file_is_named_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """One sentence, exit code 2, and the file stays as it was."""
    file = tmp_path / "my.key"
    for content in (b"this is no key", b""):
        file.write_bytes(content)
        assert main(["key", *command, str(file)]) == 2
        errors = capsys.readouterr().err
        assert str(file) in errors
        assert errors.count("\n") == 1
        assert file.read_bytes() == content


def test_a_missing_file_is_not_made_by_running_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error does not make a new key; the sentence says what does."""
    file = tmp_path / "my.key"
    assert main(["key", "run", str(file)]) == 2
    assert f"authrig key new {file}" in capsys.readouterr().err
    assert not file.exists()


def test_a_key_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`authrig key new` refuses a file that is there, whatever it holds."""
    file = tmp_path / "my.key"
    file.write_bytes(b"precious")
    assert main(["key", "new", str(file)]) == 2
    assert str(file) in capsys.readouterr().err
    assert file.read_bytes() == b"precious"


def test_an_unknown_profile_makes_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence names the profiles that there are."""
    file = tmp_path / "my.key"
    assert main(["key", "new", str(file), "--profile", "no-such-key"]) == 2
    assert "authrig" in capsys.readouterr().err
    assert not file.exists()


def test_a_file_in_use_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One process uses a key at a time, as one hand holds it."""
    file = str(tmp_path / "my.key")
    main(["key", "new", file])
    with _key(file):
        assert main(["key", "list", file]) == 2
    assert "another process is using it" in capsys.readouterr().err


def test_info_is_getinfo_with_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file and its profile say the same, for scripts and for people."""
    file = str(tmp_path / "my.key")
    main(["key", "new", file])
    documents = []
    for source in (file, "authrig-2.3"):
        assert main(["key", "info", source, "--json"]) == 0
        documents.append(json.loads(capsys.readouterr().out))
    assert documents[0]["aaguid"] == documents[1]["aaguid"] == "61757468-7269-672d-7465-73742d6b6579"
    assert documents[0]["options"]["rk"] is True
    assert main(["key", "info", file]) == 0
    assert "aaguid: 61757468-7269-672d-7465-73742d6b6579\n" in capsys.readouterr().out


def test_an_attached_key_is_compared_with_a_profile(capsys: pytest.CaptureFixture[str]) -> None:
    """A device node is asked over CTAPHID; two equal keys have no differences and exit code 0."""
    with _key() as (_, path):
        assert main(["key", "diff", path, "authrig-2.3"]) == 0
    assert capsys.readouterr().out == ""


def test_something_mute_is_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal with nobody behind it ends in a sentence, not in waiting."""
    near, far = os.openpty()
    try:
        assert main(["key", "info", os.ttyname(far)]) == 2
    finally:
        os.close(near)
        os.close(far)
    assert "expected a security key" in capsys.readouterr().err


@pytest.mark.needs("fido2-cred")
def test_list_shows_discoverable_credentials_without_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who may log in where; nothing that would let a reader of the list do so."""
    file = str(tmp_path / "my.key")
    main(["key", "new", file])
    with _key(file) as (_, path):
        _tool("fido2-cred", "-M", "-r", path, given=REQUEST)
    assert main(["key", "list", file, "--json"]) == 0
    shown = capsys.readouterr().out
    (credential,) = json.loads(shown)
    assert (credential["rp_id"], credential["user"]["name"], credential["algorithm"]) == ("example.org", "alice", -7)
    store = SqliteStore(Path(file))
    (kept,) = store.credentials("example.org")
    store.close()
    assert kept.id.hex() == credential["id"]
    assert kept.private_key.hex() not in shown
    assert main(["key", "list", file]) == 0
    assert "example.org  alice" in capsys.readouterr().out


def test_profiles_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with what it is and where its facts come from."""
    assert main(["key", "profiles", "--json"]) == 0
    profiles = {profile["name"]: profile for profile in json.loads(capsys.readouterr().out)}
    assert set(profiles) == set(names())
    assert all(profile["source"] and profile["description"] for profile in profiles.values())
    assert main(["key", "profiles"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in names())


def test_several_keys_run_at_once(tmp_path: Path) -> None:
    """One path a key, in the order in which they were named."""
    files = [str(tmp_path / name) for name in ("one.key", "two.key")]
    for file in files:
        main(["key", "new", file])
    with _key(*files) as (process, first):
        assert process.stdout is not None
        second = process.stdout.readline().strip()
        assert first != second
        assert all(Path(path).is_char_device() for path in (first, second))


def test_a_key_on_tcp_takes_reports_from_a_socket() -> None:
    """No device node: 64 bytes there, 64 bytes back."""
    with _key("--transport", "tcp") as (_, address):
        host, port = address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"\xff" * 4 + b"\x86\x00\x08" + b"12345678".ljust(57, b"\0"))
            assert connection.recv(64)[7:15] == b"12345678"


def test_a_port_that_is_no_address_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Usage, exit code 2."""
    with pytest.raises(SystemExit) as stopped:
        main(["key", "run", "--transport", "tcp", "--listen", "nonsense"])
    assert stopped.value.code == 2
    assert "expected HOST:PORT, found nonsense" in capsys.readouterr().err


def test_what_a_relying_party_must_trust_is_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same each time; the certificates are signed by the root, and the statement names it."""
    file, folder = str(tmp_path / "my.key"), tmp_path / "trust"
    main(["key", "new", file])
    exports = []
    for _ in range(2):
        assert main(["key", "export-attestation", file, str(folder)]) == 0
        written = [Path(line) for line in capsys.readouterr().out.splitlines()]
        exports.append({path.name: path.read_text() for path in written if path.suffix == ".pem"})
    assert exports[0] == exports[1]
    root, batch, enterprise = (x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes()) for name in NAMES)
    batch.verify_directly_issued_by(root)
    enterprise.verify_directly_issued_by(root)
    statement = json.loads((folder / "metadata.json").read_text())
    encoded = base64.b64encode(root.public_bytes(Encoding.DER)).decode()
    assert statement["attestationRootCertificates"] == [encoded]
    assert MetadataStatement.from_dict(statement).aaguid is not None


def test_keys_share_a_usbip_bus(tmp_path: Path) -> None:
    """Each has a name of its own there."""
    files = [str(tmp_path / name) for name in ("one.key", "two.key")]
    for file in files:
        main(["key", "new", file])
    with _key("--transport", "usbip", "--listen", "127.0.0.1:0", *files) as (process, first):
        assert process.stdout is not None
        bus, name = first.split("/")
        assert (name, process.stdout.readline()) == ("1-1", f"{bus}/1-2\n")


def test_a_cold_start_loads_nothing_that_it_does_not_need() -> None:
    """What makes `authrig key run` ready in well under half a second; `make bench` measures it."""
    program = (
        "import authrig.commands.key, authrig.keys.running, sys\n"
        "import emulators.fido_authenticator.transports.pty\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert {"fido2", "numpy", "cv2", "http", "starlette", "usbip", "rich"}.isdisjoint(loaded.split())
