import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from authrig.errors import RigError
from authrig.keys import port as port_module
from authrig.keys.attached import call_attached
from authrig.keys.control import ControlServer
from authrig.keys.port import Port
from authrig.keys.wires import Cabling
from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.user import HandUser
from tests.leaks import nothing_left_open

GET_INFO, SELECTION = b"\x04", b"\x0b"


def _port() -> Port:
    return Port(CtapHid(Authenticator(Env.real(), user=HandUser())), Cabling("pty").plug(1))


@contextmanager
def _rig(count: int = 1) -> Iterator[Callable[..., Any]]:
    """A rig whose ports are powered, as a function that asks it."""
    ports = {number: _port() for number in range(1, count + 1)}
    for port in ports.values():
        port.power_on()
    with ControlServer(ports) as server:

        def ask(path: str, **headers: str) -> Any:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            request = urllib.request.Request(server.url + path, headers=named)  # noqa: S310 - our own server
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - our own server
                return json.load(answer)

        try:
            yield ask
        finally:
            for port in ports.values():
                port.power_off()


def _await(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited for ten seconds"
        time.sleep(0.005)


def _refusal(ask: Callable[..., Any], path: str, **headers: str) -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(path, **headers)
    with refused.value as answer:
        return answer.code, json.load(answer)["error"]


@contextmanager
def _selecting(path: str) -> Iterator[list[bytes]]:
    """A host that has the key blink, and what it was answered."""
    answers: list[bytes] = []
    thread = threading.Thread(target=lambda: answers.append(call_attached(Path(path), SELECTION)))
    thread.start()
    yield answers
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_a_touch_ends_the_wait() -> None:
    """The rig says that the key blinks, and a finger answers it."""
    with _rig() as ask:
        (described,) = ask("/")["ports"]
        assert (described["power"], described["touch"], described["asks"]) == (True, False, None)
        with _selecting(described["address"]) as answers:
            _await(lambda: ask("/")["ports"][0]["asks"] == "select")
            assert ask("/usb1/touch/on")["touch"] is True
        assert answers == [b""]
        assert ask("/usb1/touch/off")["touch"] is False


def test_a_finger_that_rests_there_must_be_lifted_first() -> None:
    """One touch never answers two requests."""
    with _rig() as ask:
        ask("/usb1/touch/on")
        with _selecting(ask("/")["ports"][0]["address"]) as answers:
            _await(lambda: ask("/")["ports"][0]["asks"])
            ask("/usb1/touch/on")
            assert ask("/")["ports"][0]["asks"] == "select"
            ask("/usb1/touch/off")
            ask("/usb1/touch/on")
        assert answers == [b""]


def test_a_forgotten_finger_is_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that died does not touch the key for ever."""
    monkeypatch.setattr(port_module, "HELD_AT_MOST", 0.05)
    with _rig() as ask:
        ask("/usb1/touch/on")
        _await(lambda: ask("/")["ports"][0]["touch"] is False)


def test_power_off_takes_the_device_away_and_power_on_brings_a_new_one() -> None:
    """What was open reads an error; twice off and twice on are no different from once."""
    with _rig() as ask:
        old = ask("/")["ports"][0]["address"]
        node = os.open(old, os.O_RDWR | os.O_NOCTTY)
        for _ in range(2):
            assert ask("/usb1/power/off")["address"] is None
        with pytest.raises(OSError, match="Input/output error"):
            os.write(node, bytes(65))
        os.close(node)
        new = ask("/usb1/power/on")["address"]
        assert ask("/usb1/power/on")["address"] == new
        assert call_attached(Path(new), GET_INFO)


def test_a_key_without_power_is_not_touched() -> None:
    """The finger finds nothing."""
    with _rig() as ask:
        ask("/usb1/power/off")
        assert ask("/usb1/touch/on")["touch"] is False


def test_each_port_is_its_own() -> None:
    """What happens to one key does not happen to its neighbour."""
    with _rig(3) as ask:
        ask("/usb2/power/off")
        assert [port["power"] for port in ask("/")["ports"]] == [True, False, True]


@pytest.mark.parametrize(
    "path", ["/usb1", "/usb1/touch", "/usb1/touch/maybe", "/usb0/touch/on", "/usb1/touch/on/", "/x"]
)
def test_an_unknown_path_is_named(path: str) -> None:
    """The sentence says what was expected."""
    with _rig() as ask:
        code, sentence = _refusal(ask, path)
        assert code == 404
        assert path in sentence


def test_an_unknown_port_is_named() -> None:
    """The sentence says which there are."""
    with _rig(2) as ask:
        assert _refusal(ask, "/usb6/touch/on") == (404, "expected one of usb1, usb2, found usb6")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Host": "evil.example:80"},
    ],
)
def test_a_web_page_cannot_touch_the_key(headers: dict[str, str]) -> None:
    """Not with a request of its own, and not through a name that leads to this machine."""
    with _rig() as ask:
        assert _refusal(ask, "/usb1/touch/on", **headers)[0] == 403
        assert ask("/")["ports"][0]["touch"] is False


def test_a_taken_tcp_port_is_named() -> None:
    """One sentence."""
    with ControlServer({}) as server:
        taken = int(server.url.rpartition(":")[2])
        with pytest.raises(RigError, match=str(taken)):
            ControlServer({}, taken)


def test_many_power_cycles_leave_nothing_behind() -> None:
    """No thread, no file, after fifty plugs."""
    port = _port()
    port.power_on()
    port.power_off()
    with nothing_left_open():
        for _ in range(50):
            port.power_on()
            port.power_off()
