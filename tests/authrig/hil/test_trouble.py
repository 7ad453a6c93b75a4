"""What whoever runs tests on a bench sees when the bench misbehaves: a sentence, and all else goes on."""

import errno
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from authrig.attached.inventory import Attachment
from authrig.bench import identity
from authrig.bench.leases import Leases
from authrig.keys.attached import NodeConnection
from authrig.ports import key_cables
from authrig.ports.key import Key
from authrig.ports.key_cables import InProcessCable, KeyGoneError
from authrig.ports.presence import Presence
from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.transports.pty import PtyTransport
from emulators.fido_authenticator.user import Decision, HandUser

pytest_plugins = ["pytester"]

RIG = """
version = 1
[devices.key-1]
kind = "fido"
attached = {{ match = {{ serial = "BENCH-1" }}, pin = "4711" }}
touch = {{ by = "controller", url = "{url}", port = 1 }}
[devices.token-1]
kind = "qr-token"
emulated = {{}}
"""
TESTS = """
    import pytest

    OPTIONS = {
        "rp": {"id": "example.ch", "name": "Example"}, "user": {"id": "YQ", "name": "a", "displayName": "a"},
        "challenge": "AAAA", "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
    }

    def test_key(key):
        assert key.make_credential("https://example.ch", OPTIONS)["id"]

    def test_token(qr_token):
        assert qr_token.press

    @pytest.mark.hil("qr-token", device="token-1")
    def test_named(qr_token, rig):
        assert "camera" in qr_token.capabilities()
"""


class Machine:
    """A machine with a key on a node, as its /sys tells it, and a controller that touches the key, or misbehaves."""

    def __init__(self, node: str, user: HandUser) -> None:
        self.attached = [_attachment(node)]
        self.status = 200
        self.url = ""
        self.on_touch: Callable[[], object] = lambda: user.answer(Decision.GRANTED) if user.pending else None


def _attachment(node: str) -> Attachment:
    return Attachment("fido", Path(node), "Test key", "BENCH-1", 0x1209, 0x0001, "", ())


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Machine]:
    """The machine; leases are in a folder of the test's own."""
    with ExitStack() as opened:
        user = HandUser()
        hid = CtapHid(Authenticator(Env.real(), user=user))
        cable = InProcessCable(hid)
        Key(cable, Presence(user), "4711", lambda _: None).ensure_pin()
        cable.close()
        wire = opened.enter_context(PtyTransport(hid))
        machine = Machine(wire.path, user)
        machine.url = opened.enter_context(_controller(machine))
        for module in (identity, key_cables):
            monkeypatch.setattr(module, "inventory", lambda: tuple(machine.attached))
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
        yield machine


@contextmanager
def _controller(machine: Machine) -> Iterator[str]:
    """Its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if machine.status == 200 and self.path.endswith("/touch/on"):
                machine.on_touch()
            self.send_response(machine.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _run(pytester: pytest.Pytester, machine: Machine, **outcomes: int) -> pytest.RunResult:
    """A run with a page on it; the page and JUnit's file are written whatever happens, and the key is nobody's afterwards."""
    rig = pytester.path / "rig.toml"
    rig.write_text(RIG.format(url=machine.url), "utf-8")
    pytester.makepyfile(test_it=TESTS)
    words = ("--rig", str(rig), "--hil-report", "run.html", "--junitxml", "run.xml", "--hil-artifacts", "kept")
    result = pytester.runpytest_inprocess(*words, "-p", "no:cacheprovider")
    found = result.parseoutcomes()
    assert {word: found.get(word, 0) for word in ("passed", "failed", "errors")} == {
        "passed": 0,
        "failed": 0,
        "errors": 0,
        **outcomes,
    }
    page = (pytester.path / "run.html").read_text("utf-8")
    assert all(name in page for name in ("test_key", "test_token", "test_named"))
    assert "test_key" in (pytester.path / "run.xml").read_text("utf-8")
    free = Leases()
    free.take("key-1", "fido 4617 1 BENCH-1")
    free.close()
    return result


def test_a_bench_on_which_all_is_well(pytester: pytest.Pytester, machine: Machine) -> None:
    """The key of the rig file registers, touched by the controller; a device is lent by its name."""
    _run(pytester, machine, passed=3)


def test_two_devices_that_match_one_entry(pytester: pytest.Pytester, machine: Machine) -> None:
    """Neither is taken, and the sentence names both."""
    machine.attached.append(_attachment("/dev/hidraw9"))
    result = _run(pytester, machine, passed=2, errors=1)
    result.stdout.fnmatch_lines(
        ["E *RigError: key-1: expected one fido device with serial BENCH-1, found 2: /dev/pts/*; /dev/hidraw9*"]
    )


def test_a_controller_that_answers_500(pytester: pytest.Pytester, machine: Machine) -> None:
    """The test that wanted a touch fails by that; others do not."""
    machine.status = 500
    result = _run(pytester, machine, passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [f"E *RigError: the controller at {machine.url} answered GET /usb1/touch/on with status 500"]
    )


def test_a_controller_that_answers_nothing(pytester: pytest.Pytester, machine: Machine) -> None:
    """As one whose cable was pulled."""
    machine.url = "http://127.0.0.1:9"
    result = _run(pytester, machine, passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["E *RigError: the controller at http://127.0.0.1:9 does not answer GET /usb1/touch/on: *"]
    )


def test_a_key_that_is_unplugged_in_the_middle(
    pytester: pytest.Pytester, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it waits for a touch; its evidence is kept."""
    read = NodeConnection.read_packet
    gone: list[bool] = []
    machine.on_touch = lambda: gone.append(True)

    def reading(connection: NodeConnection) -> bytes:
        if gone:
            raise OSError(errno.EIO, "Input/output error")
        return read(connection)

    monkeypatch.setattr(NodeConnection, "read_packet", reading)
    result = _run(pytester, machine, passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["E *KeyGoneError: key-1 (/dev/pts/*) was unplugged in the middle, or has hung: Input/output error"]
    )
    events = (pytester.path / "kept/test_it.py_test_key/events.jsonl").read_text("utf-8").splitlines()
    assert "authenticatorMakeCredential" in "".join(events)
    assert json.loads((pytester.path / "kept/test_it.py_test_key/about.json").read_text("utf-8"))["test"].endswith(
        "test_key"
    )


def test_a_key_that_is_gone_is_a_sentence_and_an_error_of_the_system() -> None:
    """Clients that heed OSError go on to do so."""
    error = KeyGoneError("key-1", OSError(errno.EIO, "Input/output error"))
    assert isinstance(error, OSError)
    assert str(error) == "key-1 was unplugged in the middle, or has hung: Input/output error"
