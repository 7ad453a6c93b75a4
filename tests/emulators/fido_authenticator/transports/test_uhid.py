"""The transport against a small kernel of our own; tests/vm holds it against a real one."""

import errno
import os
import queue
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulators.env import Env, SimulatedClock
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid, fragments
from emulators.fido_authenticator.profile import load
from emulators.fido_authenticator.transports.pace import Pace
from emulators.fido_authenticator.transports.uhid import UhidTransport, fit_profile
from emulators.fido_authenticator.user import AutomaticUser, User
from emulators.usb.errors import PlugError
from emulators.usb.uhid import EVENT_BYTES, QUEUED_EVENTS, UhidFile
from tests.emulators.fido_authenticator.hid_transport_checks import CBOR, KEEPALIVE, PING, Channel, check_hid_transport

DESTROY, OPEN, CLOSE, OUTPUT, GET_REPORT, CREATE2, INPUT2 = 1, 4, 5, 6, 9, 11, 12


class _Kernel:
    """The other end of /dev/uhid: tells of opening and closing, and hands reports to all who have the node open."""

    def __init__(self) -> None:
        self.end, self.device_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.created = list[bytes]()
        self.answers = queue.Queue[bytes]()
        self.hosts = list[_Host]()
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while event := self.end.recv(5000):
            kind, payload = int.from_bytes(event[:4], "little"), event[4:]
            with self.lock:
                if kind == CREATE2:
                    self.created.append(payload)
                elif kind == INPUT2:
                    for host in self.hosts:
                        host.reports.put(payload[2 : 2 + int.from_bytes(payload[:2], "little")])
                elif kind == DESTROY:
                    for host in self.hosts:
                        host.reports.put(b"")
                else:
                    self.answers.put(event)

    def tell(self, kind: int, payload: bytes = b"") -> None:
        self.end.send((kind.to_bytes(4, "little") + payload).ljust(EVENT_BYTES, b"\0"))


class _Host:
    """Whoever opens the node."""

    def __init__(self, kernel: _Kernel) -> None:
        self.kernel = kernel
        self.reports = queue.Queue[bytes]()
        with kernel.lock:
            if not kernel.hosts:
                kernel.tell(OPEN)
            kernel.hosts.append(self)

    def write(self, report: bytes) -> None:
        self.kernel.tell(OUTPUT, (b"\0" + report).ljust(4096, b"\0") + struct.pack("=HB", 65, 1))

    def read(self) -> bytes:
        report = self.reports.get(timeout=10)
        if not report:
            raise OSError("the key is gone")
        return report

    def close(self) -> None:
        with self.kernel.lock:
            if self in self.kernel.hosts:
                self.kernel.hosts.remove(self)
                if not self.kernel.hosts:
                    self.kernel.tell(CLOSE)


class _Cable:
    many_hosts = True

    def __init__(self, kernel: _Kernel, key: UhidTransport) -> None:
        self.kernel, self.key = kernel, key
        self.hosts = list[_Host]()

    def open(self) -> _Host:
        self.hosts.append(_Host(self.kernel))
        return self.hosts[-1]


def _write_all(file: UhidFile, event: bytes) -> None:
    """A socket may be full, which the real file never is."""
    select.select([], [file.descriptor], [])
    os.write(file.descriptor, event)


@contextmanager
def _key(user: User | None = None) -> Iterator[_Cable]:
    kernel = _Kernel()

    with pytest.MonkeyPatch.context() as patch, kernel.end, kernel.device_end:
        kernel.device_end.setblocking(False)
        patch.setattr("emulators.usb.uhid._open", lambda _: os.dup(kernel.device_end.fileno()))
        patch.setattr("emulators.usb.uhid.UhidFile.write", _write_all)
        with UhidTransport(CtapHid(Authenticator(Env.real(), user=user))) as key:
            cable = _Cable(kernel, key)
            try:
                yield cable
            finally:
                for host in cable.hosts:
                    host.close()
        kernel.end.shutdown(socket.SHUT_RDWR)
        kernel.thread.join()


def _until_it_fails(action: Callable[[], object]) -> None:
    for _ in range(100_000):
        action()


def test_it_is_a_hid_transport() -> None:
    """The checks that every wire must pass."""
    check_hid_transport(_key)


def test_the_key_is_plugged_in_as_its_profile_says() -> None:
    """A USB device with the FIDO usage page, the profile's numbers and names, in a port that no other key has."""
    with _key() as first, _key() as second:
        first.open(), second.open()
        Channel(first.hosts[0])
        Channel(second.hosts[0])
        (created,), (other,) = first.kernel.created, second.kernel.created
    assert created[:128].rstrip(b"\0") == b"Authrig Authrig test key"
    assert created[128:192] != other[128:192]
    size, bus, vendor, product = struct.unpack_from("=HHII", created, 256)
    assert (bus, vendor, product) == (3, 0x1209, 0x0001)
    assert created[276 : 276 + size].startswith(bytes.fromhex("06d0f10901a101"))


def test_a_host_that_closes_while_the_key_waits_leaves_it_free() -> None:
    """The next one is not told that the key is busy, and reads nothing that was not for it."""
    with _key(AutomaticUser(None)) as cable:
        for _ in range(5):
            host = cable.open()
            channel = Channel(host)
            channel.send(CBOR, b"\x0b")
            assert channel.receive() == (KEEPALIVE, b"\x02")
            host.close()


def test_a_host_whose_leaving_was_dropped_leaves_the_key_free() -> None:
    """A full queue of the kernel loses that too; then the opening by the next one says so."""
    with _key() as cable:
        host = cable.open()
        channel = Channel(host)
        host.write(channel.reports(PING, bytes(200))[0])
        cable.kernel.hosts.remove(host)  # without a word
        assert Channel(cable.open()).call(PING, b"hello") == b"hello"


def test_unplugging_ends_the_wait_and_plugging_in_powers_up() -> None:
    """The kernel is told to take the node away, and later to make one for the same key; channels are forgotten."""
    with _key(AutomaticUser(None)) as cable:
        channel = Channel(cable.open())
        channel.send(CBOR, b"\x0b")
        assert channel.receive() == (KEEPALIVE, b"\x02")
        cable.key.unplug()
        cable.key.unplug()
        with pytest.raises(OSError, match="gone"):
            _until_it_fails(channel.receive)
        cable.key.plug_in()
        cable.key.plug_in()
        channel.send(PING, b"still there?")
        assert channel.receive() == (0x3F, b"\x0b")
        assert Channel(cable.open()).call(PING, b"hello") == b"hello"
        assert len(set(cable.kernel.created)) == 1
        assert len(cable.kernel.created) == 2


def test_feature_reports_are_refused_at_once() -> None:
    """A host that asks for one is not left waiting; the answer carries its number."""
    with _key() as cable:
        cable.kernel.tell(GET_REPORT, struct.pack("=IBB", 77, 0, 0))
        assert cable.kernel.answers.get(timeout=10)[4:8] == struct.pack("=I", 77)


def test_a_long_answer_comes_no_faster_than_a_cable_carries_it() -> None:
    """129 reports: a kernel keeps 64 for a program, so all but the first come one a millisecond."""
    with _key() as cable:
        channel = Channel(cable.open())
        message = os.urandom(7609)
        started = time.monotonic()
        assert channel.call(PING, message) == message
        assert time.monotonic() - started > (129 - 32) * 0.001 * 0.9


def test_hosts_are_kept_from_messages_that_the_kernel_may_drop() -> None:
    """The longest that is promised leaves room for a next host's three events; a key with less stays as it is."""
    profile = fit_profile(load())
    reports = fragments(1, PING, bytes(profile.limits.max_msg_size))
    assert len(reports) == QUEUED_EVENTS - 3
    assert len(fragments(1, PING, bytes(profile.limits.max_msg_size + 1))) > QUEUED_EVENTS - 3
    assert fit_profile(profile) == profile


def test_an_answer_that_the_kernel_refuses_is_lost_and_nothing_else() -> None:
    """As while a device is being unplugged: the rest of that answer goes too, and the next question is answered."""
    with _key() as cable:
        channel = Channel(cable.open())
        refused = threading.Event()

        def refuse(_file: UhidFile, _event: bytes) -> None:
            refused.set()
            raise OSError(errno.EINVAL, "Invalid argument")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("emulators.usb.uhid.UhidFile.write", refuse)
            channel.send(PING, bytes(200))
            assert refused.wait(10)
            # Once the lock can be had, the turn in which it was refused is over.
            cable.key.wake()
        assert channel.call(PING, b"hello") == b"hello"


def test_no_uhid_leaves_nothing_behind(tmp_path: Path) -> None:
    """The sentence, no thread, and a user who is not listened to."""
    threads = threading.active_count()
    with pytest.raises(PlugError, match="modprobe uhid"):
        UhidTransport(CtapHid(Authenticator(Env.real())), node=tmp_path / "uhid")
    assert threading.active_count() == threads


def test_a_host_that_takes_turns_with_the_key_is_never_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred answers go although no time passes in which they could: each question says that the last was read."""
    monkeypatch.setattr("emulators.fido_authenticator.transports.uhid.Pace", lambda: Pace(clock=SimulatedClock()))
    with _key() as cable:
        channel = Channel(cable.open())
        for number in range(200):
            assert channel.call(PING, bytes([number])) == bytes([number])
