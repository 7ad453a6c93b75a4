import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from emulators.env import Env, SimulatedClock
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.transports.fido_hid import bcd
from emulators.fido_authenticator.transports.pace import Pace
from emulators.fido_authenticator.transports.usb import UsbTransport
from emulators.fido_authenticator.user import AutomaticUser, HandUser, User
from emulators.usb.usbip_server import UsbIpServer
from tests.emulators.fido_authenticator.hid_transport_checks import (
    CBOR,
    ERROR,
    KEEPALIVE,
    PING,
    Channel,
    check_hid_transport,
)
from tests.emulators.usb.usbip_host import IN, UsbHidHost


class _Host(UsbHidHost):
    """Its ``close`` returns when the server has noticed: only then can open files be counted."""

    def __init__(self, server: UsbIpServer, busid: str) -> None:
        self.server = server
        super().__init__(server.address, busid)

    def close(self) -> None:
        if self.usb.socket.fileno() < 0:
            return
        here = self.usb.socket.getsockname()
        super().close()
        deadline = time.monotonic() + 10
        while here in [connection.peer for connection in tuple(self.server._connections)]:
            assert time.monotonic() < deadline


class _Cable:
    many_hosts = False

    def __init__(self, server: UsbIpServer, key: UsbTransport) -> None:
        self.server, self.key = server, key
        self.hosts = list[_Host]()

    def open(self) -> _Host:
        assert self.key.busid is not None
        self.hosts.append(_Host(self.server, self.key.busid))
        return self.hosts[-1]


@contextmanager
def _key(user: User | None = None) -> Iterator[_Cable]:
    with (
        UsbIpServer(port=0) as server,
        UsbTransport(CtapHid(Authenticator(Env.real(), user=user)), server) as key,
    ):
        cable = _Cable(server, key)
        try:
            yield cable
        finally:
            for host in cable.hosts:
                host.close()


def _until_it_fails(action: Callable[[], object]) -> None:
    for _ in range(100_000):
        action()


def test_it_is_a_hid_transport() -> None:
    """The checks that every wire must pass."""
    check_hid_transport(_key)


def test_a_touch_by_hand_ends_the_wait() -> None:
    """Keepalives come while nobody touches, and the answer as soon as somebody does, in another thread."""
    user = HandUser()
    with _key(user) as cable:
        channel = Channel(cable.open())
        channel.send(CBOR, b"\x0b")
        for _ in range(3):
            assert channel.receive() == (KEEPALIVE, b"\x02")
        assert user.touch()
        while (answer := channel.receive()) == (KEEPALIVE, b"\x02"):
            pass
        assert answer == (CBOR, b"\0")


def test_a_program_that_closes_the_node_while_the_key_waits_leaves_it_free() -> None:
    """The machine keeps the key attached; the next program is not told that it is busy, and reads nothing stale."""
    with _key(AutomaticUser(None)) as cable:
        host = cable.open()
        for _ in range(5):
            channel = Channel(host)
            channel.send(CBOR, b"\x0b")
            assert channel.receive() == (KEEPALIVE, b"\x02")
            host.close_node()
            host.reports.clear()
            host.polling = host.usb.submit(IN, 1, 64)


def test_unplugging_ends_the_wait_and_attaching_powers_up() -> None:
    """A host that waits is cut off; the key is offered again, and who attaches it starts anew."""
    with _key(AutomaticUser(None)) as cable:
        channel = Channel(cable.open())
        channel.send(CBOR, b"\x0b")
        assert channel.receive() == (KEEPALIVE, b"\x02")
        cable.key.unplug()
        cable.key.unplug()
        assert cable.key.busid is None
        with pytest.raises(ConnectionResetError):
            _until_it_fails(channel.receive)
        cable.key.plug_in()
        cable.key.plug_in()
        channel.host = cable.open()
        channel.send(PING, b"still there?")
        assert channel.receive() == (ERROR, b"\x0b")


def test_several_keys_share_a_port() -> None:
    """Each is served by itself; one that is unplugged does not disturb the other."""
    with UsbIpServer(port=0) as server:
        first = UsbTransport(CtapHid(Authenticator(Env.real())), server)
        second = UsbTransport(CtapHid(Authenticator(Env.real())), server)
        with first, second:
            assert (first.busid, second.busid) == ("1-1", "1-2")
            one, two = _Host(server, "1-1"), UsbHidHost(server.address, "1-2")
            assert Channel(one).call(PING, b"one") == b"one"
            first.unplug()
            assert Channel(two).call(PING, b"two") == b"two"
            two.close()
            one.close()


def test_a_host_that_never_asks_cannot_fill_the_memory() -> None:
    """Answers that nobody fetches are kept up to a limit."""
    with _key() as cable:
        host = cable.open()
        channel = Channel(host)
        host.close_node()
        (report,) = channel.reports(PING, b"x" * 57)
        for _ in range(9000):
            host.usb.answer(host.usb.submit(0, 1, 64, report))
        assert len(cable.key._outbox) + cable.key._usb.unsent <= 2 * 4096


@pytest.mark.parametrize(
    ("version", "coded"), [((0, 1, 0), 0x0010), ((5, 8, 0), 0x0580), ((12, 3, 4), 0x1234), ((255, 255, 255), 0x9999)]
)
def test_a_version_is_written_as_usb_does(version: tuple[int, int, int], coded: int) -> None:
    """Binary-coded decimal; what does not fit is as large as it can be."""
    assert bcd(version) == coded


def test_a_host_that_takes_turns_with_the_key_is_never_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred answers go although no time passes in which they could: each question says that the last was read."""
    monkeypatch.setattr("emulators.fido_authenticator.transports.usb.Pace", lambda: Pace(clock=SimulatedClock()))
    with _key() as cable:
        channel = Channel(cable.open())
        for number in range(200):
            assert channel.call(PING, bytes([number])) == bytes([number])
