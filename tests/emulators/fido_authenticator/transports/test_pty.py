import base64
import os
import select
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid, fragments
from emulators.fido_authenticator.transports.pty import PtyTransport
from emulators.fido_authenticator.user import AutomaticUser, HandUser, User
from tests.emulators.fido_authenticator.hid_transport_checks import CBOR, KEEPALIVE, PING, Channel, check_hid_transport


class _Host:
    """Opens, writes and reads as libfido2 does."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
        self._open = True

    def write(self, report: bytes) -> None:
        assert os.write(self._descriptor, b"\0" + report) == 65

    def read(self) -> bytes:
        ready, _, _ = select.select([self._descriptor], [], [], 10)
        assert ready, "the key said nothing for ten seconds"
        return os.read(self._descriptor, 64)

    def close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._descriptor)


class _Cable:
    many_hosts = False

    def __init__(self, path: str) -> None:
        self.path = path
        self.hosts: list[_Host] = []

    def open(self) -> _Host:
        self.hosts.append(_Host(self.path))
        return self.hosts[-1]


@contextmanager
def _key(user: User | None = None) -> Iterator[PtyTransport]:
    with PtyTransport(CtapHid(Authenticator(Env.real(), user=user))) as pty:
        yield pty


@contextmanager
def _plugged_in() -> Iterator[_Cable]:
    with _key() as pty:
        cable = _Cable(pty.path)
        try:
            yield cable
        finally:
            for host in cable.hosts:
                host.close()


def _run(*command: str, stdin: str = "") -> str:
    """What an unmodified tool prints; it must succeed."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _repeat(action: Callable[[], object]) -> None:
    for _ in range(100_000):
        action()


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline


def test_it_is_a_hid_transport() -> None:
    """The checks that every wire must pass."""
    check_hid_transport(_plugged_in)


@pytest.mark.needs("fido2-token")
def test_fido2_token_reads_the_key_twice() -> None:
    """One host after another opens the same path."""
    with _key() as pty:
        for _ in range(2):
            described = _run("fido2-token", "-I", pty.path)
            assert "aaguid: 617574687269672d746573742d6b6579" in described
            assert "algorithms: es256 (public-key)" in described


@pytest.mark.needs("fido2-cred", "fido2-assert")
@pytest.mark.parametrize("resident", [False, True])
def test_libfido2_creates_and_asserts(tmp_path: Path, *, resident: bool) -> None:
    """Debian's tools register a credential, verify its attestation, log in with it, and verify the assertion."""
    client_data = base64.b64encode(bytes(32)).decode()
    rk = ["-r"] if resident else []
    with _key() as pty:
        user_id = base64.b64encode(b"ada").decode()
        made = _run("fido2-cred", "-M", *rk, pty.path, stdin=f"{client_data}\nexample.com\nada\n{user_id}\n")
        verified = _run("fido2-cred", "-V", stdin=made)
        credential_id, public_key = verified.split("\n", 1)
        (tmp_path / "public.pem").write_text(public_key)
        known = [] if resident else [credential_id]
        asserted = _run("fido2-assert", "-G", *rk, pty.path, stdin="\n".join([client_data, "example.com", *known, ""]))
        if resident:
            # The tool appends the user id of a discoverable credential, which its verifier does not read.
            assert asserted.splitlines()[-1] == user_id
            asserted = "\n".join(asserted.splitlines()[:4]) + "\n"
        _run("fido2-assert", "-V", str(tmp_path / "public.pem"), "es256", stdin=asserted)
        damaged = asserted.splitlines()
        damaged[0] = base64.b64encode(bytes([1]) * 32).decode()
        refused = subprocess.run(
            ["fido2-assert", "-V", str(tmp_path / "public.pem"), "es256"],
            input="\n".join(damaged) + "\n",
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert refused.returncode != 0


def test_a_touch_by_hand_ends_the_wait() -> None:
    """The host is told to wait at once, and answered as soon as somebody touches the key in another thread."""
    user = HandUser()
    with _key(user) as pty:
        host = _Host(pty.path)
        channel = Channel(host)
        channel.send(CBOR, b"\x0b")
        assert channel.receive() == (KEEPALIVE, b"\x02")
        assert user.touch()
        while (answer := channel.receive()) == (KEEPALIVE, b"\x02"):
            pass
        assert answer == (CBOR, b"\0")
        host.close()


def test_a_user_may_answer_on_the_spot() -> None:
    """A user who is called in the key's own thread can touch right there."""
    user = HandUser()
    user.on_request = lambda _: user.touch()
    with _key(user) as pty:
        host = _Host(pty.path)
        assert Channel(host).call(CBOR, b"\x0b") == b"\0"
        host.close()


def test_a_host_that_dies_while_the_key_blinks_hurts_nobody() -> None:
    """The next host finds a key that is neither busy nor talking to the dead one."""
    with _key(AutomaticUser(None)) as pty:
        for _ in range(20):
            host = _Host(pty.path)
            channel = Channel(host)
            channel.send(CBOR, b"\x0b")
            assert channel.receive() == (KEEPALIVE, b"\x02")
            host.close()


def test_a_host_that_never_reads_does_not_disturb_the_next() -> None:
    """The next host finds nothing of what it left unread."""
    with _key() as pty:
        host = _Host(pty.path)
        channel = Channel(host)
        for _ in range(100):
            channel.send(PING, b"x" * 7609)
        host.close()
        second = _Host(pty.path)
        assert Channel(second).call(PING, b"hello") == b"hello"
        second.close()


def test_reports_left_unread_are_lost_beyond_a_limit() -> None:
    """As with a hidraw node, whose limit is 64 reports."""
    pty = PtyTransport(CtapHid(Authenticator(Env.real())))
    pty.hid.receive(b"\xff" * 4 + b"\x86\x00\x08" + bytes(57))
    for report in fragments(1, PING, bytes(7609)) * 100:
        pty.hid.receive(report)
    pty._send()
    assert 200_000 < len(pty._outbox) <= 1 << 18
    pty.close()


def _has_noticed_the_close(pty: PtyTransport) -> bool:
    with pty._lock:
        return pty._placeholder is not None


def test_what_a_dead_host_left_unread_is_gone() -> None:
    """The first report that the next host reads is the answer to its own INIT."""
    with _key(AutomaticUser(None)) as pty:
        dead = _Host(pty.path)
        channel = Channel(dead)
        channel.send(CBOR, b"\x0b")
        channel.receive()
        # Unread keepalives pile up.
        _await(lambda: len(select.select([dead._descriptor], [], [], 10)[0]) == 1)
        dead.close()
        _await(lambda: _has_noticed_the_close(pty))
        host = _Host(pty.path)
        host.write(b"\xff" * 4 + b"\x86\x00\x08" + bytes(57))
        assert host.read()[:7] == b"\xff" * 4 + b"\x86\x00\x11"
        host.close()


@pytest.mark.needs("fido2-cred", "fido2-token")
def test_a_killed_tool_does_not_disturb_the_next() -> None:
    """A tool that is killed while the key blinks frees the key for the next one."""
    user = HandUser()
    with _key(user) as pty:
        for _ in range(3):
            with subprocess.Popen(["fido2-cred", "-M", pty.path], stdin=subprocess.PIPE, text=True) as tool:
                assert tool.stdin is not None
                tool.stdin.write(f"{base64.b64encode(bytes(32)).decode()}\nexample.com\nada\nYWRh\n")
                tool.stdin.close()
                _await(lambda: user.pending is not None)
                tool.kill()
            _await(lambda: user.pending is None)
            assert "FIDO_2_0" in _run("fido2-token", "-I", pty.path)


def test_half_a_report_is_given_up() -> None:
    """A host that stops in the middle of a write puts the next one out of step for half a second only."""
    with _key() as pty:
        stuck = _Host(pty.path)
        os.write(stuck._descriptor, b"\0half a report")
        _await(lambda: pty._inbox != b"")
        pty._inbox_since -= 0.6
        host = _Host(pty.path)
        assert Channel(host).call(PING, b"hello") == b"hello"
        host.close()
        stuck.close()


def test_unplugging_while_a_host_waits_ends_its_read() -> None:
    """A host notices that the key is gone."""
    with _key(AutomaticUser(None)) as pty:
        host = _Host(pty.path)
        channel = Channel(host)
        channel.send(CBOR, b"\x0b")
        channel.receive()
        pty.close()
        pty.close()
    with pytest.raises((OSError, AssertionError)):
        _repeat(channel.receive)
    host.close()


def test_run_serves_until_stopped() -> None:
    """A command line can serve in its own thread and be stopped from another."""
    pty = PtyTransport(CtapHid(Authenticator(Env.real())))
    thread = threading.Thread(target=pty.stop)
    thread.start()
    pty.run()
    thread.join()
    pty.close()
    assert not Path(pty.path).exists()


def test_a_power_cycle_forgets_channels() -> None:
    """The path stays, the host must start anew."""
    with _key() as pty:
        host = _Host(pty.path)
        old = Channel(host)
        pty.power_cycle()
        old.send(PING, b"still there?")
        assert old.receive() == (0x3F, b"\x0b")
        assert Channel(host).call(PING, b"hello") == b"hello"
        host.close()
