import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import usbip  # type: ignore[import-untyped] # the library has no types
from hypothesis import given, settings
from hypothesis import strategies as st
from usbip import protocol

from emulators.usb.errors import PlugError
from emulators.usb.usbip_hid import UsbHid, UsbIdentity
from emulators.usb.usbip_server import UsbIpServer
from tests.emulators.usb.usbip_host import IN, OUT, RefusedError, UsbIpHost
from tests.leaks import nothing_left_open

DESCRIPTOR = bytes.fromhex("06d0f10901a1010920150026ff007508954081020921150026ff00750895409102c0")
STALL, RESET, BUSY, NO_DEVICE = -32, -104, 2, 4


class _Echo:
    """A device that says what it is told; ``events`` is what its watcher saw."""

    def __init__(self, product: str = "echo") -> None:
        identity = UsbIdentity(0x1209, 0x0001, 0x0123, "Maker", product, "serial é")
        self.usb = UsbHid(identity, DESCRIPTOR, 5, self._say)
        self.events = list[str]()

    def _say(self, report: bytes) -> None:
        self.usb.send(report)

    def attached(self) -> None:
        self.events.append("attached")

    def detached(self) -> None:
        self.events.append("detached")

    def unwatched(self) -> None:
        self.events.append("unwatched")


@contextmanager
def _server(*echoes: _Echo) -> Iterator[UsbIpServer]:
    with UsbIpServer(port=0) as server:
        for echo in echoes:
            server.plug_in(echo.usb.device, echo)
        yield server


@contextmanager
def _attached(server: UsbIpServer, busid: str = "1-1") -> Iterator[UsbIpHost]:
    host = UsbIpHost(server.address, busid)
    try:
        yield host
    finally:
        host.socket.close()


def _wait_until_nobody_is_connected(server: UsbIpServer) -> None:
    deadline = time.monotonic() + 10
    while server._connections:
        assert time.monotonic() < deadline


def _says(host: UsbIpHost, data: bytes) -> bytes:
    """What the echo answers."""
    polling = host.submit(IN, 1, 64)
    assert host.answer(host.submit(OUT, 1, len(data), data)) == (0, b"")
    status, answer = host.answer(polling)
    assert status == 0
    return answer


def test_a_host_sees_a_full_speed_hid_device() -> None:
    """Descriptors as USB 2.0 chapter 9 and HID 1.11 lay them out, read byte by byte."""
    with _server(_Echo("Echo key")) as server, _attached(server) as host:
        assert host.speed == 2
        device = struct.unpack("<BBHBBBBHHHBBBB", host.descriptor(1))
        assert device[:2] == (18, 1)
        assert device[7:10] == (0x1209, 0x0001, 0x0123)
        names = [host.descriptor(3, index)[2:].decode("utf-16-le") for index in device[10:13]]
        assert names == ["Maker", "Echo key", "serial é"]
        configuration = host.descriptor(2)
        assert struct.unpack_from("<H", configuration, 2)[0] == len(configuration) == 41
        assert configuration[9:18] == bytes((9, 4, 0, 0, 2, 3, 0, 0, 0))  # one interface: HID, no boot protocol
        assert configuration[27:34] == bytes((7, 5, 0x81, 3, 64, 0, 5))  # interrupt in, 64 bytes, every 5 ms
        assert configuration[34:41] == bytes((7, 5, 0x01, 3, 64, 0, 5))
        assert host.control(0x81, 6, 0x2200, 0, 1024) == (0, DESCRIPTOR)
        assert host.control(0x80, 6, 0x0600, 0, 10)[0] == STALL  # a full-speed device has no device qualifier


def test_the_list_of_devices_is_what_another_implementation_reads() -> None:
    """The library's own client lists both, attaches the second and is answered."""
    with _server(_Echo("one"), _Echo("two")) as server:
        with socket.create_connection(server.address, timeout=10) as asking:
            listed = protocol.client_devlist(asking)
        assert [(device["busid"], device["idVendor"], device["interfaces"]) for device in listed] == [
            ("1-1", 0x1209, [(3, 0, 0)]),
            ("1-2", 0x1209, [(3, 0, 0)]),
        ]
        with socket.create_connection(server.address, timeout=10) as asking:
            assert protocol.client_import(asking, b"1-2")["devnum"] == listed[1]["devnum"]
            urb = usbip.core.Urb(
                seqnum=1,
                devid=1 << 16 | listed[1]["devnum"],
                direction=1,
                length=255,
                setup=b"\x80\x06\x02\x03\0\0\xff\0",
            )
            assert protocol.client_submit(asking, urb).buffer[2:].decode("utf-16-le") == "two"


def test_data_goes_both_ways_in_order() -> None:
    """Many reports, each answered once."""
    with _server(_Echo()) as server, _attached(server) as host:
        for number in range(500):
            data = number.to_bytes(4) + os.urandom(60)
            assert _says(host, data) == data


def test_what_another_thread_says_does_not_overtake_what_the_request_was_answered_with() -> None:
    """The answers to a request go out together; a report that comes meanwhile goes behind them, and at once."""

    class Interrupted(_Echo):
        def _say(self, report: bytes) -> None:
            self.usb.send(report)
            another = threading.Thread(target=self.usb.send, args=(b"interrupted",))
            another.start()
            another.join()
            assert self.taken.wait(10), "it was kept back until the request was done"

        taken = threading.Event()

    device = Interrupted()
    with _server(device) as server, _attached(server) as host:
        first, second = host.submit(IN, 1, 64), host.submit(IN, 1, 64)
        told = host.submit(OUT, 1, 3, b"one")
        assert [host.answer(first), host.answer(second)] == [(0, b"one"), (0, b"interrupted")]
        device.taken.set()
        assert host.answer(told) == (0, b"")


def test_requests_may_come_in_any_pieces() -> None:
    """A header cut in the middle, and several requests in one go."""
    with _server(_Echo()) as server, _attached(server) as host:
        polling = [host.submit(IN, 1, 64) for _ in range(3)]
        requests = b""
        for number in range(3):
            host.number += 1
            host.directions[host.number] = OUT
            requests += struct.pack(">IIIIIIiiiI8s", 1, host.number, host.device_id, OUT, 1, 0, 2, 0, -1, 0, bytes(8))
            requests += bytes((number, number))
        for piece in (requests[:20], requests[20:49], requests[49:]):
            host.socket.sendall(piece)
            time.sleep(0.02)
        assert [host.answer(number)[1] for number in polling] == [bytes((number, number)) for number in range(3)]


def test_a_second_host_is_told_that_the_device_is_busy() -> None:
    """And the first is not disturbed; when it has left, the device is free again."""
    echo = _Echo()
    with _server(echo) as server:
        with _attached(server) as first:
            with pytest.raises(RefusedError, match=str(BUSY)):
                UsbIpHost(server.address)
            assert _says(first, b"still mine") == b"still mine"
        _wait_until_nobody_is_connected(server)
        with _attached(server) as second:
            assert _says(second, b"mine now") == b"mine now"
        _wait_until_nobody_is_connected(server)
    assert echo.events == ["attached", "detached"] * 2


def test_an_unknown_device_is_refused() -> None:
    """With the protocol's own code."""
    with _server() as server, pytest.raises(RefusedError, match=str(NO_DEVICE)):
        UsbIpHost(server.address, "1-9")


def test_unplugging_cuts_its_host_off_and_no_other() -> None:
    """The name becomes free; a device that is plugged in later gets it, under another number."""
    one, two, three = _Echo(), _Echo(), _Echo()
    with _server(one, two) as server, _attached(server, "1-1") as first, _attached(server, "1-2") as second:
        polling = first.submit(IN, 1, 64)
        server.unplug("1-1")
        with pytest.raises(ConnectionResetError):
            first.answer(polling)
        assert one.events == ["attached", "detached"]
        assert _says(second, b"not me") == b"not me"
        assert server.plug_in(three.usb.device, three) == "1-1"
        with _attached(server, "1-1") as third:
            assert len({first.device_id, second.device_id, third.device_id}) == 3
        server.unplug("1-7")


def test_what_was_taken_back_is_never_answered() -> None:
    """The status says so, and the next request gets what the device says then; too late is said as well."""
    echo = _Echo()
    with _server(echo) as server, _attached(server) as host:
        polling = host.submit(IN, 1, 64)
        assert host.unlink(polling) == RESET
        assert host.unlink(polling) == 0
        assert echo.events == ["attached", "unwatched"]
        assert _says(host, b"next") == b"next"
        assert polling not in host.answers


def test_a_request_is_answered_or_taken_back_never_both() -> None:
    """Also when the device speaks at the very moment in which the host takes its request back."""
    echo = _Echo()
    with _server(echo) as server, _attached(server) as host:
        for _ in range(300):
            polling = host.submit(IN, 1, 64)
            speaker = threading.Thread(target=echo.usb.send, args=(b"now",))
            speaker.start()
            status = host.unlink(polling)
            speaker.join()
            assert (polling in host.answers) == (status == 0)
            host.answers.clear()
            echo.usb.forget()


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">HHI", 0x0100, 0x8005, 0),
        struct.pack(">HHI", 0x0111, 0x1234, 0),
        b"\x01",
        b"",
    ],
)
def test_a_caller_that_speaks_something_else_is_hung_up_on(garbage: bytes) -> None:
    """It gets no answer, and others are served meanwhile."""
    with _server(_Echo()) as server, _attached(server) as host:
        with socket.create_connection(server.address, timeout=10) as caller:
            caller.sendall(garbage)
            caller.shutdown(socket.SHUT_WR)
            with pytest.raises(EOFError):
                _read_one(caller)
        assert _says(host, b"hello") == b"hello"


def _read_one(caller: socket.socket) -> None:
    try:
        if caller.recv(1):
            return
    except ConnectionResetError:
        pass
    raise EOFError


def _request(command: int = 1, device: int = 0, direction: int = IN, endpoint: int = 1, length: int = 64) -> bytes:
    return struct.pack(">IIIIIIiiiI8s", command, 99, device, direction, endpoint, 0, length, 0, -1, 0, bytes(8))


@pytest.mark.parametrize(
    "wrong",
    [
        {"command": 3},
        {"command": 0},
        {"device": 1},
        {"direction": 2},
        {"endpoint": 16},
        {"length": -1},
        {"length": 1 << 30},
        {"direction": OUT, "length": 1 << 30},
    ],
)
def test_an_impossible_request_ends_the_connection(wrong: dict[str, int]) -> None:
    """It is not waited for, nothing is set aside for it, and the device is free for the next host."""
    with _server(_Echo()) as server:
        with _attached(server) as host:
            host.socket.sendall(_request(**{"device": host.device_id, **wrong}))
            with pytest.raises(ConnectionResetError):
                host.exactly(1)
        _wait_until_nobody_is_connected(server)
        with _attached(server) as host:
            assert _says(host, b"hello") == b"hello"


def test_too_many_requests_end_the_connection() -> None:
    """A host that asks and asks fills no memory."""
    with _server(_Echo()) as server, _attached(server) as host:
        for _ in range(513):
            host.submit(IN, 1, 64)
        with pytest.raises(ConnectionResetError):
            host.exactly(1)


def test_an_endpoint_that_is_not_there_is_said_so() -> None:
    """The request fails, the connection stays."""
    with _server(_Echo()) as server, _attached(server) as host:
        assert host.answer(host.submit(IN, 7, 64))[0] < 0
        assert _says(host, b"hello") == b"hello"


@settings(max_examples=150, deadline=None)
@given(
    setups=st.lists(
        st.tuples(
            st.sampled_from([0x80, 0x81, 0x82, 0xA1, 0xC0, 0x00, 0x01, 0x21, 0x40]), st.binary(min_size=7, max_size=7)
        ),
        max_size=8,
    )
)
def test_no_control_request_hurts(shared: UsbIpServer, setups: list[tuple[int, bytes]]) -> None:
    """Whatever is asked of the control endpoint is answered or refused; the next host finds the device in order."""
    with _attached(shared) as host:
        for kind, rest in setups:
            length = min(struct.unpack("<H", rest[5:7])[0], 4096)
            setup = bytes((kind,)) + rest[:5] + length.to_bytes(2, "little")
            direction = IN if kind & 0x80 else OUT
            status, data = host.answer(host.submit(direction, 0, length, b"" if direction else bytes(length), setup))
            assert status in (0, STALL)
            assert len(data) <= length
        host.answer(host.submit(OUT, 0, 0, setup=b"\0\x09\x01\0\0\0\0\0"))  # SET_CONFIGURATION: as after enumeration
        assert _says(host, b"hello") == b"hello"
    _wait_until_nobody_is_connected(shared)


@pytest.fixture(scope="module")
def shared() -> Iterator[UsbIpServer]:
    """One server for many examples."""
    with _server(_Echo()) as server:
        yield server


def test_closing_gives_everything_back() -> None:
    """Port, files and threads; a host that is attached is cut off."""

    def use() -> int:
        with _server(_Echo()) as server, _attached(server) as host:
            assert _says(host, b"hello") == b"hello"
            server.close()
            server.close()
            with pytest.raises(ConnectionResetError):
                host.exactly(1)
            with pytest.raises(PlugError, match="closed"):
                server.plug_in(_Echo().usb.device, _Echo())
            return server.address[1]

    port = use()
    with nothing_left_open():
        for _ in range(5):
            use()
    with UsbIpServer(port=port) as server:
        assert server.address == ("127.0.0.1", port)
        with pytest.raises(PlugError, match=f"port {port}: Address already in use"):
            UsbIpServer(port=port)


def test_names_that_are_too_long_are_cut() -> None:
    """A string descriptor holds 126 characters."""
    with _server(_Echo("é" * 300)) as server, _attached(server) as host:
        assert host.descriptor(3, 2)[2:].decode("utf-16-le") == "é" * 126
