"""A HID reader as a whole USB device, over USB/IP: `usbip attach` plugs it into a Linux or Windows machine."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING

from emulators.camera_scanner.barcode_readers.hid.shell import HidShell, Reader
from emulators.usb.usb_identity import UsbIdentity, bare_device
from emulators.usb.usbip_function import FedEndpoint, Out, Setup, Stall, UsbInterface

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from emulators.usb.usbip_server import UsbIpServer

_STANDARD, _CLASS = 0, 1
_REPORT_BYTES = 64
_BOOT_SUBCLASS, _KEYBOARD = 1, 1


class _Request(IntEnum):
    """HID 1.11 §7.2, and the standard one that it adds to (§7.1.1)."""

    GET_REPORT = 0x01
    GET_IDLE = 0x02
    GET_PROTOCOL = 0x03
    GET_DESCRIPTOR = 0x06
    SET_REPORT = 0x09
    SET_IDLE = 0x0A
    SET_PROTOCOL = 0x0B


class _ReportType(IntEnum):
    """The high byte of a request's value (HID 1.11 §7.2.1)."""

    INPUT = 1
    OUTPUT = 2
    FEATURE = 3


_HID_DESCRIPTOR, _REPORT_DESCRIPTOR = 0x21, 0x22


class UsbReader(HidShell[Reader]):
    """A cable between ``reader`` and the host that attaches ``busid`` of ``server``; it is on offer from the start."""

    def __init__(self, reader: Reader, identity: UsbIdentity, server: UsbIpServer) -> None:
        super().__init__(reader)
        self._interface = _HidInterface(reader, self._take, self.wake)
        self._device = bare_device(identity)
        self._device.add(self._interface)
        self._server = server
        self.busid: str | None = server.plug_in(self._device, self)
        """What a host attaches; None once it is unplugged."""

    @property
    def in_use(self) -> bool:
        """Whether a host asks it for reports, so that one would be read."""
        return self._ready()

    def unplug(self) -> None:
        """Pull it out: its device nodes go away, also in the middle of a code."""
        if self.busid is not None:
            busid, self.busid = self.busid, None
            self._server.unplug(busid)

    # What the bus tells, in the thread of the host's connection.

    def attached(self) -> None:
        """A host has plugged it in, which powers it up: what it would have said before was said to nobody."""
        with self._lock:
            self._reader.host_left()

    def detached(self) -> None:
        """The host is gone."""
        with self._lock:
            self._reader.host_left()

    def unwatched(self) -> None:
        """No program has it open."""
        with self._lock:
            self._reader.host_left()

    def _take(self, report: bytes) -> None:
        with self._lock:
            self._reader.receive(report)
        self.wake()

    def _wanted(self) -> Mapping[int, int]:
        return {}

    def _receive(self, ready: Mapping[int, int]) -> None:
        """Reports come through ``_take``."""

    def _ready(self) -> bool:
        return self._interface.to_host.asked

    def _give(self, report: bytes) -> None:
        self._interface.to_host.give(report)

    def _close_files(self) -> None:
        """The server belongs to whoever made it."""

    def close(self) -> None:
        """Unplug it for good; not with the lock held, which the thread of the host's connection wants."""
        self.unplug()
        super().close()


class _HidInterface(UsbInterface):
    """The interface of a HID device with one or two interrupt endpoints (HID 1.11 §4 and §7)."""

    bInterfaceClass = 0x03  # noqa: N815 - the library's names, also below

    def __init__(self, reader: Reader, on_output: Callable[[bytes], None], on_asked: Callable[[], None]) -> None:
        super().__init__()
        self._reader = reader
        self._on_output = on_output
        self._idle = 0
        self._protocol = 1
        if reader.boot_keyboard:
            self.bInterfaceSubClass, self.bInterfaceProtocol = _BOOT_SUBCLASS, _KEYBOARD
        self.to_host = self.add_in(FedEndpoint(0x81, "interrupt", _REPORT_BYTES, on_asked))
        if not reader.boot_keyboard:  # a keyboard's lamps come as a request, as from most keyboards
            self._add_endpoint(Out(0x01, "interrupt", mps=_REPORT_BYTES, interval=9))

    def extra_descriptors(self) -> bytes:
        """The HID descriptor (HID 1.11 §6.2.1)."""
        return struct.pack("<BBHBBBH", 9, _HID_DESCRIPTOR, 0x0111, 0, 1, _REPORT_DESCRIPTOR, self._descriptor_bytes)

    @property
    def _descriptor_bytes(self) -> int:
        return len(self._reader.report_descriptor)

    def on_out(self, _endpoint: object, data: bytes) -> None:
        """A report of the host."""
        self._on_output(data)

    def on_control(self, setup: Setup, data: bytes = b"") -> bytes:
        """What a host asks apart from the endpoint."""
        high, low = setup.wValue >> 8, setup.wValue & 0xFF
        if setup.type == _STANDARD and setup.bRequest == _Request.GET_DESCRIPTOR:
            if high == _REPORT_DESCRIPTOR:
                return self._reader.report_descriptor
            if high == _HID_DESCRIPTOR:
                return self.extra_descriptors()
        elif setup.type == _CLASS:
            return self._class_request(setup.bRequest, high, low, bytes(data))
        raise Stall

    def _class_request(self, request: int, high: int, low: int, data: bytes) -> bytes:
        match request:
            case _Request.GET_REPORT if high == _ReportType.FEATURE and (report := self._reader.feature(low)):
                return report
            case _Request.GET_REPORT if high == _ReportType.INPUT:
                return self._reader.resting_report
            case _Request.SET_REPORT if high == _ReportType.OUTPUT:
                self._on_output(data)
            case _Request.SET_REPORT if high == _ReportType.FEATURE and self._reader.set_feature(data):
                pass
            case _Request.GET_IDLE:
                return bytes((self._idle,))
            case _Request.SET_IDLE:
                self._idle = high
            case _Request.GET_PROTOCOL:
                return bytes((self._protocol,))
            case _Request.SET_PROTOCOL:
                self._protocol = low
            case _:
                raise Stall
        return b""
