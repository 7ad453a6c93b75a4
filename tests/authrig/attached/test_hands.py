import io
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from authrig.attached.hands import Hands
from authrig.attached.person import Person
from authrig.errors import RigError
from authrig.rig_file.entries import Controller, Hub, Relay

if TYPE_CHECKING:
    from tests.authrig.attached.conftest import BoardOnAPty


class _Rig(BaseHTTPRequestHandler):
    """A controller that has two ports, and writes down what it was asked."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200 if self.path.startswith(("/usb1/", "/usb2/")) else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def controller() -> Iterator[tuple[str, list[str]]]:
    """The URL of a controller, and what it was asked."""
    asked: list[str] = []
    with HTTPServer(("127.0.0.1", 0), type("Rig", (_Rig,), {"asked": asked})) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", asked
        server.shutdown()
        thread.join()


@pytest.fixture
def screen() -> io.StringIO:
    """What the person reads."""
    return io.StringIO()


@pytest.fixture
def hands(screen: io.StringIO) -> Iterator[Hands]:
    """Hands with a person who presses Enter once."""
    with Hands(Person(io.StringIO("\n"), screen)) as hands:
        yield hands


def test_a_controller_touches_and_switches(hands: Hands, controller: tuple[str, list[str]]) -> None:
    """With the calls that a rig for Yubico's tests has."""
    url, asked = controller
    hands.finger(Controller(url=url, port=1), "key-b").touch()
    switch = hands.switch(Controller(url=url, port=2), "key-b")
    switch.power_off()
    switch.power_on()
    assert asked == ["/usb1/touch/on", "/usb1/touch/off", "/usb2/power/off", "/usb2/power/on"]


def test_a_controller_that_fails_is_a_sentence(hands: Hands, controller: tuple[str, list[str]]) -> None:
    """One that answers 500, and one that does not answer."""
    with pytest.raises(RigError, match="answered GET /usb7/touch/on with status 500"):
        hands.finger(Controller(url=controller[0], port=7), "key-b").touch()
    with pytest.raises(RigError, match="does not answer GET /usb1/touch/on"):
        hands.finger(Controller(url="http://127.0.0.1:9", port=1), "key-b").touch()


def test_a_relay_board_is_opened_once(hands: Hands, board: "BoardOnAPty") -> None:
    """Two devices on one board share its line."""
    hands.finger(Relay(serial_port=board.path, channel=1), "a").touch()
    hands.switch(Relay(serial_port=board.path, channel=2), "b").power_off()
    assert board.done == [("PULSE", 1), ("OFF", 2)]


def test_a_person_is_told_and_waited_for(hands: Hands, screen: io.StringIO) -> None:
    """A touch is not waited for, since the device says itself when it was touched; a plug is."""
    hands.finger("person", "key-b").touch()
    hands.switch("person", "key-b").power_off()
    assert screen.getvalue() == "\n>>> touch key-b now\n\n>>> unplug key-b, then press Enter\n"
    with pytest.raises(RigError, match="nobody answered at the terminal: plug key-b in"):
        hands.switch("person", "key-b").power_on()


def test_nobody_unplugs_what_nobody_can(hands: Hands) -> None:
    """The sentence says what is missing."""
    with pytest.raises(RigError, match="key-b: nothing can unplug it; say in the rig file who does"):
        hands.switch("none", "key-b").power_off()


@pytest.mark.parametrize(("exit_code", "words"), [(0, ""), (1, "No compatible devices")])
def test_a_hub_is_switched_by_uhubctl(
    hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exit_code: int, words: str
) -> None:
    """With its location and port; what it complains of comes through."""
    program, log = tmp_path / "uhubctl", tmp_path / "log"
    program.write_text(f'#!/bin/sh\necho "$@" >>{log}\necho "{words}" >&2\nexit {exit_code}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    switch = hands.switch(Hub(location="1-1", port=3), "key-b")
    if exit_code:
        with pytest.raises(RigError, match="failed with exit code 1: No compatible devices"):
            switch.power_off()
    else:
        switch.power_off()
    assert log.read_text() == "-l 1-1 -p 3 -a off\n"


def test_a_hub_without_uhubctl_is_a_sentence(hands: Hands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RigError, match="apt-get install uhubctl"):
        hands.switch(Hub(location="1-1", port=3), "key-b").power_on()
