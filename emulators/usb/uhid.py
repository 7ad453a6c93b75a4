"""Linux's uhid: a HID device whose other end is a program (the kernel's Documentation/hid/uhid.rst, linux/uhid.h).

Values and their bytes, and the file they go through. All numbers are in the machine's own byte order.
"""

import errno
import os
import select
import struct
from dataclasses import dataclass
from enum import IntEnum
from importlib.resources import files
from pathlib import Path

import msgspec

from emulators.usb.errors import PlugError

NODE = Path("/dev/uhid")
UDEV_RULE = Path(str(files("emulators.usb"))) / "udev" / "70-authrig-uhid.rules"
"""The rule that lets whoever sits at the machine plug virtual devices in without root."""
BUS_USB = 0x03

_TYPE = struct.Struct("=I")
_CREATE2 = struct.Struct("=I128s64s64sHHIIII")
_INPUT2 = struct.Struct("=IH")
_TYPE_AND_OUTPUT_SIZE = struct.Struct("=I4096xH")
_REQUEST_ID = struct.Struct("=I")
_GET_REPORT_REPLY = struct.Struct("=IIHH")
_SET_REPORT_REPLY = struct.Struct("=IIH")
_DATA_BYTES = 4096
_ALIGNMENT = 8
EVENT_BYTES = _TYPE.size + -(-(_CREATE2.size - _TYPE.size + _DATA_BYTES) // _ALIGNMENT) * _ALIGNMENT
"""The size of each event that is read: its type, and a union as large as CREATE2, filled up for the number in START."""
QUEUED_EVENTS = 31
"""How many events the kernel keeps until they are read; it drops more, and no host is told (a ring of 32)."""


class EventType(IntEnum):
    """What happens on the file: DESTROY, CREATE2, INPUT2 and replies are written, the others read."""

    DESTROY = 1
    START = 2
    STOP = 3
    OPEN = 4
    CLOSE = 5
    OUTPUT = 6
    GET_REPORT = 9
    GET_REPORT_REPLY = 10
    CREATE2 = 11
    INPUT2 = 12
    SET_REPORT = 13
    SET_REPORT_REPLY = 14


@dataclass(frozen=True, slots=True)
class HidDevice:
    """How a HID device presents itself; ``phys`` says where it is plugged in, ``uniq`` is its serial number."""

    name: str
    phys: str
    uniq: str
    vendor: int
    product: int
    report_descriptor: bytes
    version: int = 0
    bus: int = BUS_USB

    def create(self) -> bytes:
        """The event that plugs it in. Names are cut where the kernel's fields end.

        Raises:
            ValueError: if the report descriptor is longer than the kernel takes.
        """
        if len(self.report_descriptor) > _DATA_BYTES:
            found = len(self.report_descriptor)
            raise ValueError(f"HID report descriptor: expected at most {_DATA_BYTES} bytes, found {found}")
        head = _CREATE2.pack(
            EventType.CREATE2,
            _text(self.name, 128),
            _text(self.phys, 64),
            _text(self.uniq, 64),
            len(self.report_descriptor),
            self.bus,
            self.vendor,
            self.product,
            self.version,
            0,
        )
        return head + self.report_descriptor


_REPORT_AT = _TYPE.size
# For what each report passes. To look a member up in its class takes longer than all else that is done with the number.
_OUTPUT = EventType.OUTPUT.value
_INPUT2_TYPE = EventType.INPUT2.value


class Event(msgspec.Struct, frozen=True):
    """What the kernel tells. ``data`` is the report of OUTPUT, with its id in front; ``request`` numbers a question.

    A struct, since one is made for each report, and a frozen dataclass takes seven times as long to make.
    """

    type: int
    data: bytes = b""
    request: int = 0


def parse_event(event: bytes) -> Event:
    """The event in what was read from the file; short ones count as filled up with zeros, as the kernel says."""
    event = event.ljust(EVENT_BYTES, b"\0")
    kind, size = _TYPE_AND_OUTPUT_SIZE.unpack_from(event)
    if kind == _OUTPUT:
        return Event(kind, event[_REPORT_AT : _REPORT_AT + min(size, _DATA_BYTES)])
    if kind in (EventType.GET_REPORT, EventType.SET_REPORT):
        return Event(kind, request=_REQUEST_ID.unpack_from(event, _TYPE.size)[0])
    return Event(kind)


def destroy() -> bytes:
    """The event that unplugs the device."""
    return _TYPE.pack(EventType.DESTROY)


def input_report(data: bytes) -> bytes:
    """The event that gives a report to all who have the device open."""
    return _INPUT2.pack(_INPUT2_TYPE, len(data)) + data


def refusal(question: Event) -> bytes:
    """The answer to GET_REPORT or SET_REPORT of a device that has no such reports: without one the host hangs."""
    if question.type == EventType.GET_REPORT:
        return _GET_REPORT_REPLY.pack(EventType.GET_REPORT_REPLY, question.request, errno.EIO, 0)
    return _SET_REPORT_REPLY.pack(EventType.SET_REPORT_REPLY, question.request, errno.EIO)


class UhidFile:
    """An open ``/dev/uhid``: one device at a time is plugged in through it. Never blocks.

    Raises:
        PlugError: if the kernel has no uhid, or the user may not open it.
    """

    def __init__(self, node: Path = NODE) -> None:
        self.descriptor = _open(node)
        self._more = select.poll()
        self._more.register(self.descriptor, select.POLLIN)

    def write(self, event: bytes) -> None:
        """Tell the kernel.

        Raises:
            OSError: if it refuses, as it does for a report of a device that is not plugged in.
        """
        os.write(self.descriptor, event)

    def events(self) -> list[Event]:
        """All that the kernel has told by now, in order. It keeps ``QUEUED_EVENTS`` and drops what comes on top."""
        events = []
        try:
            while event := os.read(self.descriptor, EVENT_BYTES):
                events.append(parse_event(event))
                # Not read until that is refused: to raise and catch it takes longer than all else about a report.
                if not self._more.poll(0):
                    break
        except BlockingIOError:
            return []  # nothing has happened at all
        return events

    def close(self) -> None:
        """Close the file; a device that is plugged in through it is unplugged."""
        os.close(self.descriptor)


def _open(node: Path) -> int:
    try:
        return os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError as error:
        raise PlugError(
            f"{node} may not be opened by this user: sudo cp {UDEV_RULE} /etc/udev/rules.d/ "
            f"&& sudo udevadm control --reload && sudo udevadm trigger --sysname-match=uhid"
        ) from error
    except FileNotFoundError as error:
        raise PlugError(
            f"this kernel has no {node}: sudo modprobe uhid, or run the command with `authrig vm run --`"
        ) from error
    except OSError as error:
        raise PlugError(f"cannot open {node}: {error.strerror}; sudo modprobe uhid may mend it") from error


def _text(value: str, field: int) -> bytes:
    """``value`` as UTF-8 that ends with a zero byte within ``field`` bytes, cut between characters."""
    encoded = value.partition("\0")[0].encode(errors="replace")
    return encoded[: field - 1].decode(errors="ignore").encode()
