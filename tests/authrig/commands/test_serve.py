import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from authrig.cli import main

AUTHRIG = str(Path(sys.executable).with_name("authrig"))


FREE = ["--port", "0", "--internal-port", "0", "--cloud-port", "0"]
"""Whoever runs the tests may have a server of their own up at the usual ports."""


def test_it_serves_until_told_to_stop(tmp_path: Path) -> None:
    """It prints where it is once it answers there, and SIGTERM ends it with exit code 0."""
    with subprocess.Popen(
        [AUTHRIG, "serve", "--data", str(tmp_path / "data"), *FREE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        public = re.match(r"public +(http://127\.0\.0\.1:\d+) ", process.stdout.readline())
        assert public is not None
        document = httpx.get(f"{public[1]}/openapi.json").json()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert document["openapi"].startswith("3.1")
    assert any(path.endswith("/password/check") for path in document["paths"])
    assert (process.returncode, errors) == (0, "")


def test_the_first_start_says_what_it_has_made_and_where(tmp_path: Path) -> None:
    """The databases, keys and tokens; the next start makes nothing, and says nothing of it."""
    folder = tmp_path / "data"

    def started() -> list[str]:
        """What is printed up to the end."""
        with subprocess.Popen(
            [AUTHRIG, "serve", "--data", str(folder), *FREE], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(5)]  # the last of these says where the pages are
            process.send_signal(signal.SIGTERM)
            return [*lines, *process.communicate(timeout=60)[0].splitlines()]

    [told] = started()[5:]
    where, _, names = told.partition(": ")
    assert where == f"made in {folder.resolve()}"
    assert set(names.split(", ")) == {path.name for path in folder.iterdir()}
    assert {"iam.sqlite3", "cloud-kek.key", "admin-badges.token"} <= set(names.split(", "))
    assert started()[5:] == []


def test_a_port_in_use_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and the sentence names the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--data", str(tmp_path), *FREE, "--port", str(port)]) == 2
    assert str(port) in capsys.readouterr().err


def test_a_port_that_cannot_be_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and the sentence names the port, what it may be and what it was."""
    assert main(["serve", "--data", str(tmp_path), *FREE, "--cloud-port", "99999"]) == 2
    assert "the cloud port is 0 to 65535, found 99999" in capsys.readouterr().err


def test_a_mistake_in_the_settings_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and the sentence names the file and the setting."""
    config = tmp_path / "server.toml"
    config.write_text("public_prot = 8480")
    assert main(["serve", "--data", str(tmp_path), "--config", str(config)]) == 2
    assert "'public_prot'" in capsys.readouterr().err
