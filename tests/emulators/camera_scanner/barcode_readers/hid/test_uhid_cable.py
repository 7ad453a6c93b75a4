"""The cable against a small kernel of our own; tests/vm holds it against a real one."""

import errno
import socket
import struct
from collections.abc import Iterator

import pytest

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace
from emulators.camera_scanner.barcode_readers.hid.pos import REPORT_DESCRIPTOR, HidPosReader
from emulators.camera_scanner.barcode_readers.hid.shell import POS_IDENTITY
from emulators.camera_scanner.barcode_readers.hid.uhid_cable import UhidReader
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.env import Env
from emulators.usb.uhid import EVENT_BYTES

DESTROY, OPEN, CLOSE, OUTPUT, GET_REPORT, GET_REPORT_REPLY, CREATE2, INPUT2, SET_REPORT, SET_REPORT_REPLY = (
    *(1, 4, 5, 6, 9, 10, 11, 12, 13, 14),
)
FEATURE = 0


class Kernel:
    """The other end of /dev/uhid."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        end.settimeout(30)

    def tell(self, kind: int, payload: bytes = b"") -> None:
        """An event for the device."""
        self._end.send((struct.pack("=I", kind) + payload).ljust(EVENT_BYTES, b"\0"))

    def output(self, report: bytes) -> None:
        """A report of a host."""
        self.tell(OUTPUT, report.ljust(4096, b"\0") + struct.pack("=HB", len(report), 1))

    def heard(self) -> tuple[int, bytes]:
        """The next event of the device."""
        event = self._end.recv(5000)
        return struct.unpack_from("=I", event)[0], event[4:]

    def report(self) -> bytes:
        """The next report of the device."""
        kind, payload = self.heard()
        assert kind == INPUT2
        (size,) = struct.unpack_from("=H", payload)
        return payload[2 : 2 + size]


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """It is what /dev/uhid opens."""
    end, node = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with end, pytest.MonkeyPatch.context() as patch:
        node.setblocking(False)
        patch.setattr("emulators.usb.uhid._open", lambda _: node.detach())
        yield Kernel(end)


@pytest.fixture
def cable(kernel: Kernel) -> Iterator[UhidReader[HidPosReader]]:
    """A reader that its host triggers."""
    with UhidReader(HidPosReader(Env.real(), Pace(TriggerMode.HOST)), POS_IDENTITY) as cable:
        kind, description = kernel.heard()
        assert kind == CREATE2
        assert description.startswith(b"Authrig Authrig test HID-POS reader\0")
        assert description.endswith(REPORT_DESCRIPTOR)
        yield cable


def test_reports_go_both_ways(kernel: Kernel, cable: UhidReader[HidPosReader]) -> None:
    """Once somebody has it open."""
    with cable.using() as reader:
        reader.show(Code(b"hello"))
    kernel.tell(OPEN)
    kernel.output(b"\x04\x04")
    assert kernel.report()[:10] == b"\x02\x05]Q1hello"


def test_features_are_told_and_others_refused(kernel: Kernel, cable: UhidReader[HidPosReader]) -> None:
    """Each question is answered, for without an answer its host hangs."""
    kernel.tell(GET_REPORT, struct.pack("=IBB", 7, 3, FEATURE))
    assert kernel.heard() == (GET_REPORT_REPLY, struct.pack("=IHH", 7, 0, 2) + b"\x03\x01")
    kernel.tell(GET_REPORT, struct.pack("=IBB", 8, 99, FEATURE))
    assert kernel.heard() == (GET_REPORT_REPLY, struct.pack("=IHH", 8, errno.EIO, 0))
    kernel.tell(SET_REPORT, struct.pack("=IBBH", 9, 254, FEATURE, 2) + b"\xfe\x01")
    assert kernel.heard() == (SET_REPORT_REPLY, struct.pack("=IH", 9, 0))
    kernel.tell(SET_REPORT, struct.pack("=IBBH", 9, 3, FEATURE, 2) + b"\x03\x01")
    assert kernel.heard() == (SET_REPORT_REPLY, struct.pack("=IH", 9, errno.EIO))


def test_what_nobody_reads_is_for_nobody(kernel: Kernel, cable: UhidReader[HidPosReader]) -> None:
    """The rest of a code whose host has closed the node does not come to the next one."""
    kernel.tell(OPEN)
    with cable.using() as reader:
        reader.show(Code(b"x" * 10000))
    kernel.output(b"\x04\x04")
    assert kernel.report()[1] == 56
    kernel.tell(CLOSE)
    kernel.tell(GET_REPORT, struct.pack("=IBB", 1, 3, FEATURE))
    while kernel.heard()[0] != GET_REPORT_REPLY:
        """Reports that were on their way."""
    kernel.tell(OPEN)
    with cable.using() as reader:
        reader.show(Code(b"mine"))
    kernel.output(b"\x04\x04")
    assert kernel.report()[5:9] == b"mine"


def test_it_is_pulled_out_in_the_middle(kernel: Kernel, cable: UhidReader[HidPosReader]) -> None:
    """Twice is allowed, and nothing more is said."""
    kernel.tell(OPEN)
    with cable.using() as reader:
        reader.show(Code(b"x" * 10000))
    kernel.output(b"\x04\x04")
    kernel.report()
    cable.unplug()
    cable.unplug()
    while (said := kernel.heard()[0]) != DESTROY:
        assert said == INPUT2
    assert not cable.in_use
