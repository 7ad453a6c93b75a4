import ctypes
import errno
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.usb.errors import PlugError
from emulators.usb.uhid import (
    EVENT_BYTES,
    UDEV_RULE,
    Event,
    EventType,
    HidDevice,
    UhidFile,
    destroy,
    input_report,
    parse_event,
    refusal,
)


class _Create2(ctypes.Structure):
    """struct uhid_event with its create2 member, as linux/uhid.h declares it."""

    _pack_ = 1
    _layout_ = "ms"  # as all that is packed has been so far: Python 3.14 wants it said
    _fields_ = (
        ("type", ctypes.c_uint32),
        ("name", ctypes.c_char * 128),
        ("phys", ctypes.c_char * 64),
        ("uniq", ctypes.c_char * 64),
        ("rd_size", ctypes.c_uint16),
        ("bus", ctypes.c_uint16),
        ("vendor", ctypes.c_uint32),
        ("product", ctypes.c_uint32),
        ("version", ctypes.c_uint32),
        ("country", ctypes.c_uint32),
        ("rd_data", ctypes.c_uint8 * 4096),
    )


class _Output(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (
        ("type", ctypes.c_uint32),
        ("data", ctypes.c_uint8 * 4096),
        ("size", ctypes.c_uint16),
        ("rtype", ctypes.c_uint8),
    )


class _Start(ctypes.Structure):
    _fields_ = (("dev_flags", ctypes.c_uint64),)


class _Create2Only(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = _Create2._fields_[1:]


class _Union(ctypes.Union):
    _fields_ = (("create2", _Create2Only), ("start", _Start))


class _Event(ctypes.Structure):
    """struct uhid_event: packed, around a union that is not."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("type", ctypes.c_uint32), ("u", _Union))


def _device(name: str = "a key", descriptor: bytes = b"\x06\xd0\xf1") -> HidDevice:
    return HidDevice(name, "port 1", "serial", 0x1209, 0x0001, descriptor, version=0x0102)


def test_a_device_is_created_as_the_kernel_reads_it() -> None:
    """Field by field through the kernel's own declaration; short events count as filled up with zeros."""
    read = _Create2.from_buffer_copy(_device().create().ljust(ctypes.sizeof(_Create2), b"\0"))
    assert (read.type, read.name, read.phys, read.uniq) == (11, b"a key", b"port 1", b"serial")
    assert (read.bus, read.vendor, read.product, read.version, read.country) == (3, 0x1209, 1, 0x0102, 0)
    assert bytes(read.rd_data[: read.rd_size]) == b"\x06\xd0\xf1"


@given(st.text())
def test_any_name_fits(name: str) -> None:
    """It ends within the field, and is cut between characters."""
    read = _Create2.from_buffer_copy(_device(name).create().ljust(ctypes.sizeof(_Create2), b"\0"))
    assert len(read.name) < 128
    assert name.encode(errors="replace").startswith(read.name.decode().encode())


def test_a_descriptor_that_is_too_long_is_refused() -> None:
    """The kernel takes 4096 bytes."""
    assert len(_device(descriptor=bytes(4096)).create()) == ctypes.sizeof(_Create2)
    with pytest.raises(ValueError, match="expected at most 4096 bytes, found 4097"):
        _device(descriptor=bytes(4097)).create()


@given(st.binary(max_size=4096))
def test_an_output_report_is_read_as_the_kernel_writes_it(data: bytes) -> None:
    """Of its own length, whatever that is."""
    event = _Output(type=6, size=len(data), rtype=1)
    ctypes.memmove(event.data, data, len(data))
    assert parse_event(bytes(event)) == Event(EventType.OUTPUT, data)


@given(st.binary(max_size=5000))
def test_no_event_is_too_strange_to_read(event: bytes) -> None:
    """Nothing that the kernel may say in the future raises."""
    assert len(parse_event(event).data) <= 4096


def test_what_is_written_besides() -> None:
    """Reports, the end, and answers that a report does not exist."""
    assert input_report(b"abc") == b"\x0c\0\0\0\x03\0abc"
    assert destroy() == b"\x01\0\0\0"
    question = parse_event(b"\x09\0\0\0" + b"\x78\x56\x34\x12" + b"\0\0")
    assert refusal(question) == b"\x0a\0\0\0\x78\x56\x34\x12" + errno.EIO.to_bytes(2, "little") + b"\0\0"
    question = parse_event(b"\x0d\0\0\0" + b"\x78\x56\x34\x12" + b"\0\0")
    assert refusal(question) == b"\x0e\0\0\0\x78\x56\x34\x12" + errno.EIO.to_bytes(2, "little")


def test_events_are_as_large_as_the_kernels() -> None:
    """A reader that is off by four bytes would lose step."""
    assert ctypes.sizeof(_Event) == EVENT_BYTES == 4380


@pytest.fixture
def pair() -> Iterator[tuple[UhidFile, socket.socket]]:
    """A file whose other end is here instead of in a kernel."""
    kernel, node = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with kernel, pytest.MonkeyPatch.context() as patch:
        patch.setattr("emulators.usb.uhid._open", lambda _: node.detach())
        node.setblocking(False)
        file = UhidFile()
        yield file, kernel
        file.close()


def _tell(kernel: socket.socket, kind: int) -> None:
    kernel.send(kind.to_bytes(4, "little").ljust(EVENT_BYTES, b"\0"))


def _next(file: UhidFile, count: int) -> list[int]:
    """The kinds of the next ``count`` events."""
    kinds = list[int]()
    while len(kinds) < count:
        ready, _, _ = select.select([file.descriptor], [], [], 10)
        assert ready
        kinds += [event.type for event in file.events()]
    return kinds


def test_events_are_read_in_order_and_without_waiting(pair: tuple[UhidFile, socket.socket]) -> None:
    """All that are there, also none."""
    file, kernel = pair
    assert list(file.events()) == []
    for kind in (2, 4, 5):
        _tell(kernel, kind)
    assert _next(file, 3) == [EventType.START, EventType.OPEN, EventType.CLOSE]
    assert list(file.events()) == []
    file.write(destroy())
    assert kernel.recv(100) == destroy()


def test_no_node_is_explained(tmp_path: Path) -> None:
    """The kernel lacks it: two ways to get one."""
    with pytest.raises(PlugError, match=r"no .*nothing: sudo modprobe uhid, or .*authrig vm run"):
        UhidFile(tmp_path / "nothing")


def test_no_permission_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule that mends it is there, and grants what it should."""

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(PlugError, match=r"may not be opened by this user: sudo cp .*70-authrig-uhid\.rules /etc/udev"):
        UhidFile()
    monkeypatch.undo()
    rules = [line for line in UDEV_RULE.read_text().splitlines() if line and not line.startswith("#")]
    plugging, opening = rules
    assert 'KERNEL=="uhid"' in plugging
    assert 'TAG+="uaccess"' in plugging
    # Keyboards come through uhid too, and nobody may read those.
    assert 'SUBSYSTEM=="hidraw"' in opening
    assert 'ENV{ID_SECURITY_TOKEN}=="1"' in opening


def test_a_node_that_is_none_is_explained(tmp_path: Path) -> None:
    """A folder in its place."""
    with pytest.raises(PlugError, match=r"cannot open .*: Is a directory"):
        UhidFile(tmp_path)
