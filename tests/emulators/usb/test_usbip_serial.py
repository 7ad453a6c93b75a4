import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.gm65 import Gm65
from emulators.env import Clock, Env, SystemClock
from emulators.usb.serial_shell import garble
from emulators.usb.usb_identity import UsbIdentity
from emulators.usb.usbip_function import UsbFunction, composite_device
from emulators.usb.usbip_hid import UsbHid
from emulators.usb.usbip_serial import Line, UsbSerial
from emulators.usb.usbip_server import UsbIpServer
from emulators.usb.usbip_video import UsbVideo
from tests.emulators.usb.usbip_host import IN, OUT, RefusedError, UsbIpHost
from tests.emulators.usb.video_host import VideoHost

IDENTITY = UsbIdentity(0x1209, 0x0003, 0x0100, "Maker", "Test port", "7")
STALL = -32


class _Echo:
    """Says what it hears."""

    baud_rate = 115_200

    def __init__(self) -> None:
        self.clock: Clock = SystemClock()
        self.said = b""

    def receive(self, data: bytes) -> None:
        self.said += data

    def poll(self) -> None:
        """Nothing is ever due."""

    def next_deadline(self) -> float | None:
        return None

    def take_output(self) -> bytes:
        said, self.said = self.said, b""
        return said


class SerialHost:
    """What cdc-acm does, for the port whose control interface is ``interface``."""

    def __init__(self, usb: UsbIpHost, interface: int = 0, endpoints: tuple[int, int] = (1, 1)) -> None:
        self.usb, self.interface = usb, interface
        self.to_host, self.from_host = endpoints
        self.reading = list[int]()

    def request(self, request: int, value: int = 0, data: bytes = b"") -> int:
        """A class request that writes; returns the status."""
        setup = struct.pack("<BBHHH", 0x21, request, value, self.interface, len(data))
        return self.usb.answer(self.usb.submit(OUT, 0, len(data), data, setup))[0]

    def set_baud_rate(self, rate: int) -> None:
        """SET_LINE_CODING, 8N1."""
        assert self.request(0x20, data=struct.pack("<IBBB", rate, 0, 0, 8)) == 0

    def open(self) -> None:
        """Begin to read, and raise DTR and RTS."""
        self.reading = [self.usb.submit(IN, self.to_host, 1024) for _ in range(4)]
        assert self.request(0x22, 3) == 0

    def close(self) -> None:
        """Drop the lines and take the requests back."""
        assert self.request(0x22, 0) == 0
        for number in self.reading:
            if self.usb.unlink(number) == 0:
                self.usb.answer(number)
        self.reading = []

    def write(self, data: bytes) -> None:
        """Send."""
        assert self.usb.answer(self.usb.submit(OUT, self.from_host, len(data), data))[0] == 0

    def read(self, count: int) -> bytes:
        """At least ``count`` bytes."""
        data = b""
        while len(data) < count:
            status, more = self.usb.answer(self.reading.pop(0))
            assert status == 0
            data += more
            self.reading.append(self.usb.submit(IN, self.to_host, 1024))
        return data


@contextmanager
def _attached(server: UsbIpServer, busid: str = "1-1") -> Iterator[UsbIpHost]:
    host = UsbIpHost(server.address, busid)
    try:
        yield host
    finally:
        host.socket.close()


@contextmanager
def _bus(*functions: UsbFunction) -> Iterator[UsbIpServer]:
    with UsbIpServer(port=0) as server:
        server.plug_in(composite_device(IDENTITY, *functions))
        yield server


@pytest.fixture
def port() -> Iterator[UsbSerial[_Echo]]:
    """A port with an echo at its other end."""
    with UsbSerial(_Echo(), "console") as made:
        yield made


@pytest.fixture
def host(port: UsbSerial[_Echo]) -> Iterator[SerialHost]:
    """A host that has it attached."""
    with _bus(port.function) as server, _attached(server) as usb:
        yield SerialHost(usb)


def test_a_host_sees_a_serial_port_with_a_name(host: SerialHost) -> None:
    """CDC 1.2 chapter 5: the function, its two interfaces, which requests it knows and who carries the bytes."""
    configuration = host.usb.descriptor(2)
    assert struct.unpack_from("<H", configuration, 2)[0] == len(configuration)
    name = configuration[16]
    assert configuration[9:17] == bytes((8, 0x0B, 0, 2, 2, 2, 0, name))
    assert host.usb.descriptor(3, name)[2:].decode("utf-16-le") == "console"
    assert bytes((9, 4, 0, 0, 1, 2, 2, 0, name)) in configuration
    assert bytes((4, 0x24, 2, 6)) in configuration
    assert bytes((5, 0x24, 6, 0, 1)) in configuration
    assert bytes((9, 4, 1, 0, 2, 0x0A, 0, 0, 0)) in configuration
    assert struct.pack("<BBBBHB", 7, 5, 0x81, 2, 512, 0) in configuration
    assert struct.pack("<BBBBHB", 7, 5, 0x01, 2, 512, 0) in configuration


def test_a_second_port_names_its_own_interfaces() -> None:
    """Each union says which two belong together; both carry their own bytes."""
    with (
        UsbSerial(_Echo()) as one,
        UsbSerial(_Echo()) as two,
        _bus(one.function, two.function) as server,
        _attached(server) as usb,
    ):
        configuration = usb.descriptor(2)
        assert bytes((5, 0x24, 6, 0, 1)) in configuration
        assert bytes((5, 0x24, 6, 2, 3)) in configuration
        second = configuration[configuration.index(bytes((9, 4, 3, 0))) + 9 :]
        first_host, second_host = SerialHost(usb), SerialHost(usb, 2, (second[2] & 0x0F, second[7 + 2]))
        for number, port in enumerate((first_host, second_host)):
            port.open()
            port.write(b"port %d" % number)
        assert first_host.read(6) == b"port 0"
        assert second_host.read(6) == b"port 1"


def test_bytes_go_both_ways_in_order(host: SerialHost) -> None:
    """All 256 values, in requests of every size around that of a packet."""
    host.open()
    for size in (1, 511, 512, 513, 1024, 4096, 60_000):
        data = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
        host.write(data)
        assert host.read(len(data)) == data


def test_what_is_said_to_nobody_is_lost(host: SerialHost, port: UsbSerial[_Echo]) -> None:
    """While the port is closed, and what the program that closed it has not read: the next reads neither."""
    host.write(b"nobody has it open")
    host.open()
    host.write(b"one")
    assert host.read(3) == b"one"
    host.close()
    host.write(b"closed again")
    host.open()
    host.write(b"two")
    assert host.read(3) == b"two"
    assert port.line.dtr


def test_what_an_open_port_has_not_asked_for_waits(host: SerialHost) -> None:
    """A program that has it open and reads late loses nothing."""
    assert host.request(0x22, 1) == 0
    host.write(b"early ")
    host.write(b"bird")
    host.reading = [host.usb.submit(IN, 1, 4) for _ in range(3)]
    assert b"".join(host.usb.answer(number)[1] for number in host.reading) == b"early bird"


def test_the_line_reaches_the_owner() -> None:
    """Rate, parity, stop bits, DTR, RTS and breaks; the host reads back what it has set, and a new host finds it closed."""
    lines, breaks = list[Line](), list[bool]()
    with (
        UsbSerial(_Echo(), on_line=lines.append, on_break=breaks.append) as port,
        _bus(port.function) as server,
    ):
        with _attached(server) as usb:
            host = SerialHost(usb)
            coding = struct.pack("<IBBB", 57_600, 2, 2, 7)
            assert host.request(0x20, data=coding) == 0
            assert usb.control(0xA1, 0x21, 0, 0, 7) == (0, coding)
            host.open()
            assert port.line == Line(57_600, 2, 2, 7, dtr=True, rts=True)
            for milliseconds in (250, 0xFFFF, 0):
                assert host.request(0x23, milliseconds) == 0
            assert breaks == [True, False, True, False]
            assert host.request(0x20, data=coding[:6]) == STALL
            assert host.request(0x02) == STALL
        deadline = time.monotonic() + 10
        while server._connections:
            assert time.monotonic() < deadline
        assert not port.line.dtr
        assert [line.dtr for line in lines] == [False, True, False]


def test_a_reader_behind_an_adapter_is_understood_at_its_own_rate_only() -> None:
    """An emulated barcode reader as a core: at another rate both read garbage, and it may change its rate."""
    reader = Gm65(Env.real())
    with (
        UsbSerial(reader, any_speed=False) as port,
        _bus(port.function) as server,
        _attached(server) as usb,
    ):
        host = SerialHost(usb)
        host.open()
        host.set_baud_rate(reader.baud_rate)
        ask_version = bytes.fromhex("7e000701 00e201 abcd")
        host.write(ask_version)
        assert host.read(7).startswith(b"\x02\x00\x00\x01")
        host.set_baud_rate(300)
        with port.using() as shown:
            shown.show(Code(b"hello"))
            shown.press()
        assert garble(b"hello") in host.read(5)


def test_devices_of_all_kinds_stand_side_by_side() -> None:
    """A key's HID, a port and a camera on one bus: each works while the others misbehave, are taken twice and are cut off."""
    hid_identity = UsbIdentity(0x1209, 0x0001, 0x0100, "Maker", "key")
    said = list[bytes]()
    hid = UsbHid(
        hid_identity,
        bytes.fromhex("06d0f10901a1010920150026ff007508954081020921150026ff00750895409102c0"),
        5,
        said.append,
    )
    with ExitStack() as opened:
        port = opened.enter_context(UsbSerial(_Echo()))
        video = opened.enter_context(UsbVideo(lambda mode: bytes(mode.most_bytes // 4), "camera"))
        server = opened.enter_context(UsbIpServer(port=0))
        server.plug_in(hid.device)
        server.plug_in(composite_device(IDENTITY, port.function))
        server.plug_in(composite_device(IDENTITY, video.function))
        key = opened.enter_context(_attached(server, "1-1"))
        serial = SerialHost(opened.enter_context(_attached(server, "1-2")))
        serial.open()
        for ending in (b"", b"GET / HTTP/1.1\r\n\r\n", bytes(48), struct.pack(">IIIII28x", 1, 7, 99, 1, 3)):
            camera_host = UsbIpHost(server.address, "1-3")
            camera = VideoHost(camera_host)
            camera.start(2, 3)
            camera.payload()  # in the middle of a picture
            with pytest.raises(RefusedError, match="2"):
                UsbIpHost(server.address, "1-3")
            camera_host.socket.sendall(ending)
            camera_host.socket.close()
            serial.write(b"still here")
            assert serial.read(10) == b"still here"
            assert key.answer(key.submit(OUT, 1, 64, bytes(64)))[0] == 0
            deadline = time.monotonic() + 10
            while len(server._connections) > 2:
                assert time.monotonic() < deadline
        assert len(said) == 4
        assert not video.watched


@settings(max_examples=100)
@given(requests=st.lists(st.tuples(st.integers(0, 255), st.integers(0, 0xFFFF), st.binary(max_size=12)), max_size=8))
def test_no_request_hurts(shared: UsbIpServer, requests: list[tuple[int, int, bytes]]) -> None:
    """Whatever is asked of the control interface is answered or refused; then it carries bytes."""
    with _attached(shared) as usb:
        host = SerialHost(usb)
        for request, value, data in requests:
            assert host.request(request, value, data) in (0, STALL)
        host.open()
        host.write(b"hello")
        assert host.read(5) == b"hello"
    deadline = time.monotonic() + 10
    while shared._connections:
        assert time.monotonic() < deadline


@pytest.fixture(scope="module")
def shared() -> Iterator[UsbIpServer]:
    """One port for many examples."""
    with UsbSerial(_Echo()) as port, _bus(port.function) as server:
        yield server
