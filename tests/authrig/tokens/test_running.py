"""A token that runs: its console on each line, its eye, its network, and what it keeps."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import serial

from authrig.errors import RigError
from authrig.keys.wires import Listen
from authrig.pictures import print_code
from authrig.tokens.errands import Courier
from authrig.tokens.handled import HandledToken
from authrig.tokens.lines import Line
from authrig.tokens.running import RunOptions, open_line
from authrig.tokens.token_file import TokenFile
from emulators.env import SystemClock
from emulators.hwtoken.keys import Button
from emulators.hwtoken.screens import Review, State
from offline_qr import otq1
from tests.authrig.tokens.logins import KEYS, SEED, SERIAL, challenge

PATIENCE = 30.0


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """A token without a PIN that has its seed."""
    path = tmp_path / "my.token"
    with TokenFile.create(path, "dot_matrix_128x64", SERIAL) as file:
        file.memory().provision(SERIAL, SEED)
    return path


@contextmanager
def line_of(token: Path, **options: Any) -> Iterator[Line]:
    """Its console, served."""
    with ExitStack() as opened:
        yield open_line(RunOptions(token, **options), opened)


def ask(port: serial.SerialBase, cmd: str, **values: object) -> dict[str, Any]:
    """One request over a line."""
    port.write(json.dumps({"cmd": cmd, **values}).encode() + b"\n")
    return dict(json.loads(port.readline()))


@pytest.mark.parametrize("transport", ["pty", "tcp"])
def test_the_console_is_on_the_line(token: Path, transport: str) -> None:
    """It answers, and what the token keeps is in the file when it has answered."""
    with line_of(token, transport=transport) as line:
        url = line.address if transport == "pty" else f"socket://{line.address}"
        with serial.serial_for_url(url, timeout=20) as port:
            assert ask(port, "hello")["serial"] == SERIAL
            ask(port, "press", button="ok")
            text = otq1.encode(challenge(time.time(), suite=3), KEYS)
            assert ask(port, "scan_text", texts=[text])["state"] == "review"
            assert ask(port, "press", button="ok")["state"] == "code"
            assert b'counter\\":1,' in token.read_bytes()


def test_a_link_to_the_terminal(token: Path, tmp_path: Path) -> None:
    """The same name each time; gone when it ends."""
    link = tmp_path / "ttyTOKEN"
    with line_of(token, transport="pty", link=link), serial.Serial(str(link), timeout=20) as port:
        assert ask(port, "hello")["ok"]
    assert not link.is_symlink()


def test_usbip_offers_console_and_camera(token: Path, tmp_path: Path) -> None:
    """One device of both, with the token's serial number, in the list that `usbip list` shows; gone when it ends."""
    picture = tmp_path / "qr.png"
    picture.write_bytes(print_code("hello"))
    with line_of(token, transport="usbip", listen=Listen(port=0), camera=str(picture)) as line:
        address, _, busid = line.address.rpartition("/")
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=20) as host_end:
            host_end.sendall(b"\x01\x11\x80\x05\0\0\0\0")  # OP_REQ_DEVLIST (Linux, Documentation/usb/usbip_protocol)
            listed = b""
            while len(listed) < 12 + 312:
                chunk = host_end.recv(4096)
                assert chunk
                listed += chunk
    assert listed[:12] == b"\x01\x11\x00\x05\0\0\0\0\0\0\0\x01"
    assert busid.encode() in listed
    assert listed[12 + 311] == 4  # two interfaces of the serial port, two of the camera
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, int(port)), timeout=20)


def test_production_answers_no_more_than_a_user_could_see(token: Path) -> None:
    """Over whichever way one asks."""
    with line_of(token, transport="tcp", production=True) as line:
        with serial.serial_for_url(f"socket://{line.address}", timeout=20) as port:
            assert ask(port, "press", button="ok")["error"] == "locked"
        with line.using() as core:
            assert json.loads(core.ask(b'{"cmd":"screen"}'))["error"] == "locked"


def until(line: Line, state: State) -> None:
    """Wait, as a person does, and do nothing."""
    give_up = time.monotonic() + PATIENCE
    while True:
        with line.using() as core:
            if not line.address:
                core.poll()
            if core.token.screen.state is state:
                return
        assert time.monotonic() < give_up, f"it never came to {state}"
        threading.Event().wait(0.02)


@pytest.mark.parametrize("transport", ["tcp", None])
def test_its_eye_sees_what_is_held_before_it(token: Path, tmp_path: Path, transport: str | None) -> None:
    """A photograph of a challenge, while it scans."""
    picture = tmp_path / "qr.png"
    picture.write_bytes(print_code(otq1.encode(challenge(time.time()), KEYS)))
    with line_of(token, transport=transport, camera=f"synthetic:{picture}") as line:
        with line.using() as core:
            core.ask(b'{"cmd":"press","button":"ok"}')
        until(line, State.REVIEW)
        with line.using() as core:
            assert isinstance(core.token.screen, Review)


def test_time_passes_by_itself(tmp_path: Path) -> None:
    """The scan screen gives up although nobody asks anything."""
    profile = Path(__file__).parents[3] / "emulators/hwtoken/profiles/dot_matrix_128x64.toml"
    quick = tmp_path / "quick.toml"
    quick.write_text(profile.read_text().replace("scan_time_out_seconds = 30", "scan_time_out_seconds = 1"))
    path = tmp_path / "quick.token"
    with TokenFile.create(path, str(quick), SERIAL) as file:
        file.memory().provision(SERIAL, SEED)
    with line_of(path, transport="pty") as line:
        with line.using() as core:
            core.ask(b'{"cmd":"press","button":"ok"}')
        until(line, State.ERROR)


def test_running_ends_the_session_of_commands(token: Path) -> None:
    """It is switched on anew: what a command left on the screen is not there."""
    with TokenFile.open(token) as file:
        hand = HandledToken(file, SystemClock(), Courier())
        hand.press(Button.OK)
        assert hand.token.screen.state is State.SCANNING
    with line_of(token) as line, line.using() as core:
        assert core.token.screen.state is State.IDLE
    with TokenFile.open(token) as file:
        assert file.kept.session is None


def test_a_line_that_cannot_be_lets_go_of_the_file(token: Path, tmp_path: Path) -> None:
    """A sentence, and the next try works."""
    something = tmp_path / "something"
    something.write_text("in the way")
    with pytest.raises(RigError, match="something"), line_of(token, transport="pty", link=something):
        pass
    with pytest.raises(RigError, match=r"192\.0\.2\.1"), line_of(token, transport="tcp", listen=Listen("192.0.2.1", 1)):
        pass
    assert something.read_text() == "in the way"
    with line_of(token, transport="pty"):
        pass
