"""What every wire of a HID key must do, whatever it is made of: one set of checks for all transports."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from tests.leaks import PATIENCE, nothing_left_open

INIT, PING, CBOR, CANCEL, KEEPALIVE, ERROR = 0x06, 0x01, 0x10, 0x11, 0x3B, 0x3F
BROADCAST = 0xFFFFFFFF
CHANNEL_BUSY = 0x06
MAX_MESSAGE = 7609
# Under a processor that is a program itself, ten thousand take minutes.
PINGS = 1_000 if "AUTHRIG_VM" in os.environ else 10_000
_UNREAD = 12  # messages of two reports each: less than a kernel keeps for a program that does not read


class Host(Protocol):
    """A program that has the key open."""

    def write(self, report: bytes) -> None:
        """Send 64 bytes."""
        ...

    def read(self) -> bytes:
        """The next 64 bytes; fails rather than waits forever."""
        ...

    def close(self) -> None:
        """Close the key."""
        ...


class Cable(Protocol):
    """A key that is plugged in and touched automatically."""

    many_hosts: bool
    """Whether several hosts may have it open at the same time, each seeing all reports."""

    def open(self) -> Host:
        """A new host."""
        ...


def _longest(cable: Cable) -> int:
    """Bytes of the longest message that the wire carries; one that carries less than the key takes says so."""
    return int(getattr(cable, "longest_message", MAX_MESSAGE))


Make = Callable[[], AbstractContextManager[Cable]]


class Channel:
    """A host's channel: framing written for the tests, apart from the key's own."""

    def __init__(self, host: Host, nonce: bytes = b"01234567") -> None:
        self.host = host
        self.number = BROADCAST
        self.send(INIT, nonce)
        while True:
            command, data = self.receive()
            if command == INIT and data[:8] == nonce:
                break
        self.number = int.from_bytes(data[8:12])

    def send(self, command: int, data: bytes) -> None:
        """Send one message."""
        for report in self.reports(command, data):
            self.host.write(report)

    def reports(self, command: int, data: bytes) -> list[bytes]:
        """The reports of one message."""
        head = self.number.to_bytes(4)
        reports = [head + bytes([0x80 | command]) + len(data).to_bytes(2) + data[:57]]
        rest = data[57:]
        while rest:
            reports.append(head + bytes([len(reports) - 1]) + rest[:59])
            rest = rest[59:]
        return [report.ljust(64, b"\0") for report in reports]

    def receive(self) -> tuple[int, bytes]:
        """The next message on this channel; reports for others are passed over."""
        first = self._report()
        command, length, data = first[4] & 0x7F, int.from_bytes(first[5:7]), first[7:]
        sequence = 0
        while len(data) < length:
            report = self._report()
            assert report[4] == sequence, "a report was lost, doubled or out of order"
            data += report[5:]
            sequence += 1
        return command, data[:length]

    def call(self, command: int, data: bytes) -> bytes:
        """Send a message and take its answer, keepalives passed over."""
        self.send(command, data)
        while True:
            answered, answer = self.receive()
            if answered != KEEPALIVE:
                assert answered == command, (
                    f"expected an answer to 0x{command:02x}, found 0x{answered:02x} {answer.hex()}"
                )
                return answer

    def _report(self) -> bytes:
        while True:
            report = self.host.read()
            assert len(report) == 64
            if int.from_bytes(report[:4]) == self.number:
                return report


def check_hid_transport(make: Make) -> None:
    """Run all checks, each on a key of its own."""
    for check in (
        check_messages_of_every_length,
        check_many_pings,
        check_back_pressure,
        check_two_channels,
        check_two_hosts,
        check_hosts_one_after_another,
        check_close_leaks_nothing,
    ):
        with make() as cable:
            check(cable)
    check_unplugging_in_the_middle(make)
    check_unplugging_leaks_nothing(make)


def check_messages_of_every_length(cable: Cable) -> None:
    """What goes in comes out, from nothing to the longest message, in order."""
    channel = Channel(cable.open())
    for length in (0, 1, 56, 57, 58, 116, 117, 1024, _longest(cable)):
        data = os.urandom(length)
        assert channel.call(PING, data) == data


def check_many_pings(cable: Cable) -> None:
    """Ten thousand messages: none is lost, doubled or late, and nothing comes after the last."""
    channel = Channel(cable.open())
    for number in range(PINGS):
        data = number.to_bytes(4) * 14
        assert channel.call(PING, data) == data
    # A doubled answer would be read here.
    assert channel.call(PING, b"the last") == b"the last"


def check_back_pressure(cable: Cable) -> None:
    """A host that asks for much before it reads gets all answers, in the order of its questions."""
    channel = Channel(cable.open())
    messages = [bytes([number]) * 100 for number in range(_UNREAD)]
    for message in messages:
        channel.send(PING, message)
    assert [channel.receive() for _ in messages] == [(PING, message) for message in messages]


def check_unplugging_in_the_middle(make: Make) -> None:
    """Half a message is said when the key is pulled out: the one that is plugged in next knows nothing of it."""
    with make() as cable:
        channel = Channel(cable.open())
        for report in channel.reports(PING, b"x" * 1000)[:-1]:
            channel.host.write(report)
    with make() as cable:
        assert Channel(cable.open()).call(PING, b"hello") == b"hello"


def check_two_channels(cable: Cable) -> None:
    """A second message while the first is incomplete is told to wait, and disturbs nothing."""
    host = cable.open()
    one, other = Channel(host, b"one-one-"), Channel(host, b"other-ot")
    assert one.number != other.number
    message = os.urandom(200)
    first, *rest = one.reports(PING, message)
    host.write(first)
    other.send(PING, b"me too")
    assert other.receive() == (ERROR, bytes([CHANNEL_BUSY]))
    for report in rest:
        host.write(report)
    assert one.receive() == (PING, message)
    assert other.call(PING, b"now") == b"now"


def check_two_hosts(cable: Cable) -> None:
    """Two programs that have the key open at the same time each get their own answers."""
    if not cable.many_hosts:
        return
    one, other = Channel(cable.open(), b"one-one-"), Channel(cable.open(), b"other-ot")
    one.send(PING, b"1" * 100)
    other.send(PING, b"2" * 100)
    assert other.receive() == (PING, b"2" * 100)
    assert one.receive() == (PING, b"1" * 100)


def check_hosts_one_after_another(cable: Cable) -> None:
    """What one host left unread is not read by the next."""
    first = cable.open()
    channel = Channel(first)
    channel.send(PING, b"x" * min(3000, _longest(cable)))
    first.close()
    assert Channel(cable.open()).call(PING, b"hello") == b"hello"


def check_close_leaks_nothing(cable: Cable) -> None:
    """A host that comes and goes leaves no file and no thread behind."""
    Channel(cable.open()).host.close()
    before = _resources()
    for _ in range(20):
        host = cable.open()
        assert Channel(host).call(PING, b"hello") == b"hello"
        host.close()
    # A transport may hold one file while no host is there, and takes its time to notice.
    deadline = time.monotonic() + PATIENCE
    files, threads = _resources()
    while files > before[0] + 1 or threads > before[1]:
        assert time.monotonic() < deadline, f"{files} files and {threads} threads, {before} at first"
        time.sleep(0.02)
        files, threads = _resources()


def check_unplugging_leaks_nothing(make: Make) -> None:
    """A key that is plugged in and out leaves no file and no thread behind."""
    with make() as cable:
        cable.open().close()
    with nothing_left_open():
        for _ in range(5):
            with make() as cable:
                host = cable.open()
                Channel(host).call(PING, b"hello")
                host.close()


def _resources() -> tuple[int, int]:
    """How many files are open and how many threads run."""
    return len(os.listdir("/proc/self/fd")), threading.active_count()  # noqa: PTH208 - names only, no paths wanted
