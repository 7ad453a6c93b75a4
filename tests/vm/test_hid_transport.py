import os
import select
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.profile import load
from emulators.fido_authenticator.transports.uhid import UhidTransport, fit_profile
from emulators.fido_authenticator.user import AutomaticUser, HandUser
from emulators.usb import hidraw
from tests.emulators.fido_authenticator.hid_transport_checks import (
    CBOR,
    ERROR,
    KEEPALIVE,
    PING,
    Cable,
    Channel,
    check_hid_transport,
)
from tests.vm.conftest import Plug, PluggedKey, plugging


class Host:
    """A program that opens the node as libfido2 does."""

    def __init__(self, path: str) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def write(self, report: bytes) -> None:
        """The report's id comes first."""
        assert os.write(self.descriptor, b"\0" + report) == 65

    def read(self) -> bytes:
        """The next report."""
        ready, _, _ = select.select([self.descriptor], [], [], 20)
        assert ready, "the key said nothing for twenty seconds"
        return os.read(self.descriptor, 64)

    def close(self) -> None:
        """Close it, once."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class _Cable:
    many_hosts = True

    def __init__(self, key: PluggedKey) -> None:
        self.path = key.path
        self.longest_message = key.longest_message
        self.hosts = list[Host]()

    def open(self) -> Host:
        self.hosts.append(Host(self.path))
        return self.hosts[-1]


def test_a_real_node_is_a_hid_transport(kind: str) -> None:
    """The checks that every wire must pass, through a kernel: two programs may have the node open at the same time."""

    @contextmanager
    def make() -> Iterator[Cable]:
        with plugging(kind) as plug:
            cable = _Cable(plug())
            try:
                yield cable
            finally:
                for host in cable.hosts:
                    host.close()

    check_hid_transport(make)


@pytest.mark.timeout(600)
def test_of_ten_thousand_pings_none_is_lost_or_doubled(plug: Plug) -> None:
    """Eight are under way at any time; each comes back once, in order, and afterwards nothing more."""
    host = Host(plug().path)
    channel = Channel(host)
    under_way = 8
    for number in range(10_000 + under_way):
        if number < 10_000:
            channel.send(PING, number.to_bytes(4))
        if number >= under_way:
            assert channel.receive() == (PING, (number - under_way).to_bytes(4))
    assert Channel(host).call(PING, b"the end") == b"the end"
    assert not select.select([host.descriptor], [], [], 0.5)[0]
    host.close()


def test_a_busy_program_does_not_cost_another_its_answer(plug: Plug) -> None:
    """One waits for a touch while another asks three hundred times and is told each time that the key is busy."""
    user = HandUser()
    path = plug(user=user).path
    waiting, busy = Channel(Host(path)), Channel(Host(path))
    waiting.send(CBOR, b"\x0b")
    assert waiting.receive() == (KEEPALIVE, b"\x02")
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(_after_keepalives, waiting)
        for _ in range(300):
            busy.send(PING, b"me first")
            assert busy.receive() == (ERROR, b"\x06")
        assert user.touch()
        assert answer.result(timeout=60) == (CBOR, b"\0")
    waiting.host.close()
    busy.host.close()


def _after_keepalives(channel: Channel) -> tuple[int, bytes]:
    while (message := channel.receive()) == (KEEPALIVE, b"\x02"):
        pass
    return message


def test_keys_side_by_side_keep_their_words_apart(plug: Plug) -> None:
    """Three with half a message each; one is pulled out, and the others take their other half and answer."""
    keys = [plug(name) for name in ("one", "two", "three")]
    channels = [Channel(Host(key.path)) for key in keys]
    messages = [os.urandom(500) for _ in keys]
    reports = [channel.reports(PING, message) for channel, message in zip(channels, messages, strict=True)]
    half = len(reports[0]) // 2
    for channel, whole in zip(channels, reports, strict=True):
        for report in whole[:half]:
            channel.host.write(report)
    keys[1].unplug()
    for number in (0, 2):
        for report in reports[number][half:]:
            channels[number].host.write(report)
        assert channels[number].receive() == (PING, messages[number])
    for channel in channels:
        channel.host.close()


def test_the_longest_message_comes_through_again_and_again(plug: Plug) -> None:
    """Whatever the kernel keeps, for a program and for the key."""
    key = plug()
    channel = Channel(Host(key.path))
    for number in range(20):
        data = bytes([number]) + os.urandom(key.longest_message - 1)
        assert channel.call(PING, data) == data
    channel.host.close()


def test_a_program_that_dies_while_the_key_blinks_leaves_it_free(plug: Plug) -> None:
    """The next program is served at once."""
    path = plug(user=AutomaticUser(None)).path
    for _ in range(10):
        channel = Channel(Host(path))
        channel.send(CBOR, b"\x0b")
        assert channel.receive() == (KEEPALIVE, b"\x02")
        channel.host.close()


def test_unplugging_during_the_touch_wait_ends_it(plug: Plug) -> None:
    """The program reads an error; plugged in again, the key works, wherever its node is now."""
    key = plug(user=HandUser())
    channel = Channel(Host(key.path))
    channel.send(CBOR, b"\x0b")
    assert channel.receive() == (KEEPALIVE, b"\x02")
    key.unplug()
    with pytest.raises(OSError, match=r"Input/output error|No such device"):
        _read_until_it_fails(channel)
    channel.host.close()
    for _ in range(3):
        key.plug_in()
        channel = Channel(Host(key.path))
        assert channel.call(PING, b"back again") == b"back again"
        channel.host.close()
        key.unplug()


def _read_until_it_fails(channel: Channel) -> None:
    for _ in range(10_000):
        assert channel.receive() == (KEEPALIVE, b"\x02")


def test_what_a_key_says_at_once_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its node is there before the kernel takes reports; a program that comes before all others must not meet that."""
    monkeypatch.setattr(hidraw, "_STEP", 0.0005)
    usual = os.sched_getscheduler(0)
    with UhidTransport(CtapHid(Authenticator(Env.real(), profile=fit_profile(load())))) as key:
        # More urgent than the kernel's own worker, so that it is met in the middle of its work.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        try:
            for _ in range(20):
                key.unplug()
                key.plug_in()
                channel = Channel(Host(str(key.path)))
                assert channel.call(PING, b"at once") == b"at once"
                channel.host.close()
        finally:
            os.sched_setscheduler(0, usual, os.sched_param(0))
