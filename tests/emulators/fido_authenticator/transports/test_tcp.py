import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.transports.tcp import TcpTransport
from emulators.fido_authenticator.user import AutomaticUser, HandUser, User
from emulators.usb.errors import PlugError
from tests.emulators.fido_authenticator.hid_transport_checks import (
    CBOR,
    ERROR,
    KEEPALIVE,
    PING,
    Channel,
    check_hid_transport,
)


class _Host:
    """A connection. Its ``close`` returns when the key has noticed: only then can open files be counted."""

    def __init__(self, key: TcpTransport) -> None:
        self.key = key
        self.socket = socket.create_connection(key.address, timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, report: bytes) -> None:
        self.socket.sendall(report)

    def read(self) -> bytes:
        data = b""
        while len(data) < 64:
            more = self.socket.recv(64 - len(data))
            if not more:
                raise ConnectionResetError
            data += more
        return data

    def close(self) -> None:
        if self.socket.fileno() >= 0:
            here = self.socket.getsockname()
            self.socket.close()
            deadline = time.monotonic() + 10
            while here in [host.peer for host in tuple(self.key._hosts.values())]:
                assert time.monotonic() < deadline, "the key has not noticed that its host left"


class _Cable:
    many_hosts = True

    def __init__(self, key: TcpTransport) -> None:
        self.key = key
        self.hosts: list[_Host] = []

    def open(self) -> _Host:
        self.hosts.append(_Host(self.key))
        return self.hosts[-1]


@contextmanager
def _key(user: User | None = None) -> Iterator[_Cable]:
    with TcpTransport(CtapHid(Authenticator(Env.real(), user=user))) as key:
        cable = _Cable(key)
        try:
            yield cable
        finally:
            for host in cable.hosts:
                host.close()


def _until_it_fails(action: Callable[[], object]) -> None:
    for _ in range(1_000_000):
        action()


def test_it_is_a_hid_transport() -> None:
    """The checks that every wire must pass."""
    check_hid_transport(_key)


def test_it_listens_on_loopback() -> None:
    """Unless another address is asked for."""
    with _key() as cable:
        assert cable.key.address[0] == "127.0.0.1"
    with TcpTransport(CtapHid(Authenticator(Env.real())), host="::1") as key:
        host = _Host(key)
        assert Channel(host).call(PING, b"six") == b"six"
        host.close()


def test_both_hosts_read_all_answers() -> None:
    """As on a real cable: the second sees what the first was told."""
    with _key() as cable:
        first, second = cable.open(), cable.open()
        Channel(second)
        assert Channel(first).call(PING, b"for the first") == b"for the first"
        seen = [second.read() for _ in range(2)]
        assert any(b"for the first" in report for report in seen)


@pytest.mark.parametrize("size", [1, 7, 63, 65, 128])
def test_reports_may_come_in_any_pieces(size: int) -> None:
    """TCP knows no reports: the key puts them together."""
    with _key() as cable:
        host = cable.open()
        channel = Channel(host)
        data = os.urandom(300)
        stream = b"".join(channel.reports(PING, data))
        for at in range(0, len(stream), size):
            host.write(stream[at : at + size])
        assert channel.receive() == (PING, data)


@settings(max_examples=40, deadline=None)
@given(garbage=st.lists(st.binary(max_size=300), max_size=5))
def test_garbage_hurts_nobody(garbage: list[bytes]) -> None:
    """Whatever one host writes, and wherever it stops, another is served."""
    with _key(AutomaticUser(None)) as cable:
        bad = cable.open()
        for piece in garbage:
            bad.write(piece)
        bad.close()
        assert Channel(cable.open()).call(PING, b"hello") == b"hello"


def test_a_host_that_leaves_while_the_key_waits_leaves_it_free() -> None:
    """The next host is not told that the key is busy."""
    with _key(AutomaticUser(None)) as cable:
        for _ in range(5):
            channel = Channel(cable.open())
            channel.send(CBOR, b"\x0b")
            assert channel.receive() == (KEEPALIVE, b"\x02")
            channel.host.close()


def test_a_touch_by_hand_ends_the_wait() -> None:
    """Somebody touches the key in another thread."""
    user = HandUser()
    with _key(user) as cable:
        channel = Channel(cable.open())
        channel.send(CBOR, b"\x0b")
        assert channel.receive() == (KEEPALIVE, b"\x02")
        assert user.touch()
        while (answer := channel.receive()) == (KEEPALIVE, b"\x02"):
            pass
        assert answer == (CBOR, b"\0")


def test_a_host_that_never_reads_cannot_fill_the_memory() -> None:
    """The key stops listening to it, and still listens to others."""
    with _key() as cable:
        host = cable.open()
        channel = Channel(host)
        host.socket.settimeout(0.5)
        (report,) = channel.reports(PING, b"x" * 57)
        with pytest.raises(TimeoutError):
            _until_it_fails(lambda: host.write(report * 100))
        assert all(len(waiting.outbox) <= 4096 for waiting in cable.key._hosts.values())
        assert Channel(cable.open()).call(PING, b"hello") == b"hello"


def test_unplugging_ends_the_connections() -> None:
    """A host that waits for a touch notices; after a power cycle its channel is unknown."""
    with _key(AutomaticUser(None)) as cable:
        channel = Channel(cable.open())
        channel.send(CBOR, b"\x0b")
        assert channel.receive() == (KEEPALIVE, b"\x02")
        cable.key.power_cycle()
        with pytest.raises(ConnectionResetError):
            _until_it_fails(channel.receive)
        fresh = cable.open()
        channel.host = fresh
        channel.send(PING, b"still there?")
        assert channel.receive() == (ERROR, b"\x0b")


def test_a_taken_port_is_named() -> None:
    """One sentence, and no thread or file is left."""
    threads = threading.active_count()
    with _key() as cable:
        host, port = cable.key.address
        with pytest.raises(PlugError, match=f"cannot listen on {host} port {port}: Address already in use"):
            TcpTransport(CtapHid(Authenticator(Env.real())), port=port)
    assert threading.active_count() == threads


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), ("127.0.0.1", 70000), ("no such host.invalid", 0)])
def test_an_impossible_address_is_named(host: str, port: int) -> None:
    """Not this machine's, no port, no name."""
    with pytest.raises(PlugError, match=f"cannot listen on {host}"):
        TcpTransport(CtapHid(Authenticator(Env.real())), host=host, port=port)
