import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from authrig.cli import main

AUTHRIG = str(Path(sys.executable).with_name("authrig"))


@contextmanager
def _key(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `authrig key pty` and the path that it printed."""
    with subprocess.Popen(
        [AUTHRIG, "key", "pty", *options],
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
    store = str(tmp_path / "key.db")
    with _key("--store", store) as (_, path):
        assert "FIDO_2_0" in _tool("fido2-token", "-I", path)
        made = _tool("fido2-cred", "-M", path, given=REQUEST)
        credential_id, *public_key = _tool("fido2-cred", "-V", given=made).splitlines()
    public = tmp_path / "public.pem"
    public.write_text("\n".join(public_key))
    with _key("--store", store) as (_, path):
        assertion = _tool(
            "fido2-assert", "-G", path, given=f"{REQUEST.splitlines()[0]}\nexample.org\n{credential_id}\n"
        )
    _tool("fido2-assert", "-V", str(public), "es256", given=assertion)


@pytest.mark.needs("fido2-cred")
def test_a_line_is_a_touch(tmp_path: Path) -> None:
    """With --touch enter the key waits for its user, and a line on standard input is the touch."""
    with (
        _key("--touch", "enter", "--traffic") as (key, path),
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


def test_a_damaged_store_is_named_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, exit code 2, and the file stays as it was."""
    store = tmp_path / "key.db"
    store.write_bytes(b"this is no key")
    assert main(["key", "pty", "--store", str(store)]) == 2
    assert str(store) in capsys.readouterr().err
    assert store.read_bytes() == b"this is no key"
