import struct
import threading
import time
from collections.abc import Iterator

import pytest

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.hid.layout import load_layout
from emulators.camera_scanner.barcode_readers.hid.mangling import typed_text
from emulators.camera_scanner.barcode_readers.hid.pos import REPORT_DESCRIPTOR, HidPosReader
from emulators.camera_scanner.barcode_readers.hid.shell import POLL_INTERVAL_MS, POS_IDENTITY, WEDGE_IDENTITY
from emulators.camera_scanner.barcode_readers.hid.usb_cable import UsbReader
from emulators.camera_scanner.barcode_readers.hid.wedge import KeyboardWedge
from emulators.env import Env
from emulators.usb.usbip_server import UsbIpServer
from tests.emulators.camera_scanner.barcode_readers.hid.reports import strokes_of
from tests.emulators.usb.usbip_host import IN, OUT, RefusedError, UsbIpHost

EPIPE = -32
ENTER = bytes((0, 0, 0x28, 0, 0, 0, 0, 0))


@pytest.fixture
def server() -> Iterator[UsbIpServer]:
    """A bus."""
    with UsbIpServer(port=0) as server:
        yield server


@pytest.fixture
def wedge(server: UsbIpServer) -> Iterator[UsbReader[KeyboardWedge]]:
    """A keyboard that is on offer."""
    with UsbReader(KeyboardWedge(Env.real()), WEDGE_IDENTITY, server) as cable:
        yield cable


def attach(server: UsbIpServer, cable: UsbReader[KeyboardWedge] | UsbReader[HidPosReader]) -> UsbIpHost:
    """Plug it in, also where the host before has only just left."""
    assert cable.busid is not None
    deadline = time.monotonic() + 10
    while True:
        try:
            host = UsbIpHost(server.address, cable.busid)
        except RefusedError:
            assert time.monotonic() < deadline
        else:
            host.descriptor(1)  # once that is answered, the reader knows that it has been plugged in
            return host


def reports_until_enter(host: UsbIpHost) -> list[bytes]:
    """What a keyboard says up to Enter, which must be let go."""
    reports: list[bytes] = []
    while ENTER not in reports[:-1]:
        reports.append(host.answer(host.submit(IN, 1, 8))[1])
    return reports


def typed(host: UsbIpHost) -> str:
    """The same as text."""
    return typed_text(strokes_of(reports_until_enter(host)), load_layout("us"))


def test_a_host_finds_a_boot_keyboard(server: UsbIpServer, wedge: UsbReader[KeyboardWedge]) -> None:
    """Full speed, marked as a test device, with one interrupt endpoint to the host."""
    host = attach(server, wedge)
    device, configuration = host.descriptor(1), host.descriptor(2)
    assert struct.unpack_from("<HH", device, 8) == (0x1209, 0x0005)
    interface, hid, endpoint = configuration[9:18], configuration[18:27], configuration[27:34]
    assert interface[4:8] == bytes((1, 3, 1, 1))
    assert hid[1] == 0x21
    assert endpoint[2:4] == b"\x81\x03"
    status, descriptor = host.control(0x81, 6, 0x2200, 0, 255)
    assert status == 0
    assert len(descriptor) == struct.unpack_from("<H", hid, 7)[0]
    host.socket.close()


def test_lamps_come_as_a_request(server: UsbIpServer, wedge: UsbReader[KeyboardWedge]) -> None:
    """SET_REPORT; the reader then presses Caps Lock before and after."""
    host = attach(server, wedge)
    set_report = struct.pack("<BBHHH", 0x21, 9, 0x0200, 0, 1)
    assert host.answer(host.submit(OUT, 0, 1, b"\x02", set_report))[0] == 0
    with wedge.using() as reader:
        assert reader.caps_lock
        reader.show(Code(b"A"))
    assert reports_until_enter(host)[0][2] == 0x39
    host.socket.close()


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ((0xA1, 2, 0, 0, 1), (0, b"\0")),  # GET_IDLE
        ((0xA1, 3, 0, 0, 1), (0, b"\1")),  # GET_PROTOCOL: report
        ((0xA1, 1, 0x0100, 0, 8), (0, bytes(8))),  # GET_REPORT: all keys are up
        ((0xA1, 1, 0x0303, 0, 2), (EPIPE, b"")),  # a keyboard has no feature
        ((0xA1, 0x77, 0, 0, 1), (EPIPE, b"")),
        ((0x81, 6, 0x2300, 0, 9), (EPIPE, b"")),  # a physical descriptor
        ((0xC1, 1, 0, 0, 1), (EPIPE, b"")),  # a vendor's request
    ],
)
def test_requests_are_answered_or_refused(
    server: UsbIpServer,
    wedge: UsbReader[KeyboardWedge],
    request_: tuple[int, int, int, int, int],
    answer: tuple[int, bytes],
) -> None:
    """As HID 1.11 §7.2 has it."""
    host = attach(server, wedge)
    assert host.control(*request_) == answer
    host.socket.close()


def test_several_at_once_and_one_pulled_out_while_it_types(server: UsbIpServer) -> None:
    """Its host is cut off in the middle of a code; the other reader's host reads on."""
    with (
        UsbReader(KeyboardWedge(Env.real()), WEDGE_IDENTITY, server) as leaving,
        UsbReader(HidPosReader(Env.real()), POS_IDENTITY, server) as staying,
    ):
        gone, kept = attach(server, leaving), attach(server, staying)
        with leaving.using() as reader:
            reader.show(Code(b"x" * 1000))
        assert gone.answer(gone.submit(IN, 1, 8))[1][2] == 0x1B
        leaving.unplug()
        leaving.unplug()
        with pytest.raises(ConnectionResetError):
            reports_until_enter(gone)
        with staying.using() as pos:
            pos.show(Code(b"still here"))
        assert kept.answer(kept.submit(IN, 1, 64))[1][5:15] == b"still here"
        assert kept.control(0x81, 6, 0x2200, 0, 1024) == (0, REPORT_DESCRIPTOR)
        assert kept.control(0xA1, 1, 0x0303, 0, 2) == (0, b"\x03\x07")
        for report_id, status in ((254, 0), (3, EPIPE)):
            set_report = struct.pack("<BBHHH", 0x21, 9, 0x0300 | report_id, 0, 2)
            assert kept.answer(kept.submit(OUT, 0, 2, bytes((report_id, 1)), set_report))[0] == status
        assert kept.control(0xA1, 1, 0x03FE, 0, 2) == (0, b"\xfe\x01")
        gone.socket.close()
        kept.socket.close()


def test_a_new_host_reads_nothing_that_was_for_another(server: UsbIpServer, wedge: UsbReader[KeyboardWedge]) -> None:
    """Nor what was read while there was none: a password must not be typed into the next machine."""
    with wedge.using() as reader:
        reader.show(Code(b"too early"))
    host = attach(server, wedge)
    with wedge.using() as reader:
        reader.show(Code(b"long" * 100))
    host.answer(host.submit(IN, 1, 8))
    host.socket.close()
    host = attach(server, wedge)
    assert not wedge.in_use
    with wedge.using() as reader:
        reader.show(Code(b"mine"))
    assert typed(host) == "mine\r"
    host.socket.close()


def test_reports_come_no_faster_than_linux_reads_them(server: UsbIpServer, wedge: UsbReader[KeyboardWedge]) -> None:
    """However fast the host asks: twelve reports have eleven pauses."""
    host = attach(server, wedge)
    with wedge.using() as reader:
        reader.show(Code(b"hello"))
    begun = time.monotonic()
    assert typed(host) == "hello\r"
    assert time.monotonic() - begun >= 11 * POLL_INTERVAL_MS / 1000
    host.socket.close()


def test_it_sleeps_while_nothing_happens() -> None:
    """With a host that waits, and with reports that nobody asks for; what other tests' threads do does not count."""
    others = set(threading.enumerate())
    with (
        UsbIpServer(port=0) as server,
        UsbReader(KeyboardWedge(Env.real()), WEDGE_IDENTITY, server) as wedge,
    ):
        with wedge.using() as reader:
            reader.show(Code(b"nobody asks"))
        host = attach(server, wedge)
        host.submit(IN, 1, 8)
        clocks = [
            time.pthread_getcpuclockid(thread.ident)
            for thread in set(threading.enumerate()) - others
            if thread.ident is not None
        ]
        assert clocks
        used = sum(map(time.clock_gettime, clocks))
        time.sleep(0.5)
        assert sum(map(time.clock_gettime, clocks)) - used < 0.25
        host.socket.close()
