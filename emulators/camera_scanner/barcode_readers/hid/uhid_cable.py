"""A HID reader on Linux's uhid: the kernel makes ``/dev/input/eventN`` or ``/dev/hidrawN`` for it, as for one in a USB port."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import select
import struct
from typing import TYPE_CHECKING

from emulators.camera_scanner.barcode_readers.hid.shell import HidShell, Reader
from emulators.usb.hid_binding import HidBinding
from emulators.usb.uhid import (
    EVENT_BYTES,
    NODE,
    Event,
    EventType,
    HidDevice,
    UhidFile,
    destroy,
    input_report,
    parse_event,
    refusal,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from emulators.usb.usb_identity import UsbIdentity

_QUESTION = struct.Struct("=IIBB")
"""The event GET_REPORT: type, number of the question, id and type of the report (linux/uhid.h)."""
_REPORT = struct.Struct("=IIBBH")
"""The same of SET_REPORT, and the report's size; the report follows."""
_TAKEN = struct.Struct("=IIH")
_ANSWER = struct.Struct("=IIHH")
_FEATURE = 0
_number = itertools.count(1)


class UhidReader(HidShell[Reader]):
    """A cable between ``reader`` and this machine; it is plugged in from the start.

    Mind: a wedge types into whatever has the focus, as any keyboard does.

    Raises:
        PlugError: if this kernel has no uhid or the user may not use it.
    """

    def __init__(self, reader: Reader, identity: UsbIdentity, node: Path = NODE) -> None:
        self._file = UhidFile(node)
        super().__init__(reader)
        self._opened = False
        self._plugged_in = True
        self._phys = f"authrig-{os.getpid()}/reader{next(_number)}"
        device = HidDevice(
            name=f"{identity.manufacturer} {identity.product_name}",
            phys=self._phys,
            uniq=identity.serial_number,
            vendor=identity.vendor,
            product=identity.product,
            version=identity.version,
            report_descriptor=reader.report_descriptor,
        )
        self._binding = HidBinding(f"HID_PHYS={self._phys}")
        self._file.write(device.create())

    @property
    def in_use(self) -> bool:
        """Whether a program, or the console, has it open, so that a report would be read."""
        return self._opened

    @property
    def path(self) -> Path:
        """Its ``/dev/hidrawN``, which a keyboard has too; waits for the kernel to make it, and to take what it types.

        Raises:
            PlugError: if it makes none.
        """
        return self._binding.node()

    def unplug(self) -> None:
        """Pull it out: its device nodes go away, also in the middle of a code."""
        with self._lock:
            if self._plugged_in:
                self._plugged_in = self._opened = False
                self._file.write(destroy())
                self._reader.host_left()

    def _wanted(self) -> Mapping[int, int]:
        return {self._file.descriptor: select.POLLIN}

    def _receive(self, ready: Mapping[int, int]) -> None:
        if self._file.descriptor not in ready:
            return
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._file.descriptor, EVENT_BYTES):
                self._heed(data)

    def _heed(self, data: bytes) -> None:
        event = parse_event(data)
        if event.type == EventType.OUTPUT:
            # Linux puts a 0 before a report that has no id.
            self._reader.receive(event.data[1:] if event.data[:1] == b"\0" else event.data)
        elif event.type == EventType.OPEN:
            self._opened = True
        elif event.type == EventType.CLOSE:
            self._opened = False
            self._reader.host_left()
        elif event.type == EventType.GET_REPORT:
            self._answer(data)
        elif event.type == EventType.SET_REPORT:
            self._set(data, event)

    def _answer(self, question: bytes) -> None:
        """Give the feature report that is asked for; for another one EIO, since without an answer the host hangs."""
        _, number, report_id, kind = _QUESTION.unpack_from(question)
        report = self._reader.feature(report_id) if kind == _FEATURE else None
        found, trouble = (b"", errno.EIO) if report is None else (report, 0)
        self._file.write(_ANSWER.pack(EventType.GET_REPORT_REPLY, number, trouble, len(found)) + found)

    def _set(self, request: bytes, event: Event) -> None:
        """Take a feature report, or refuse it."""
        _, number, _, kind, size = _REPORT.unpack_from(request)
        taken = kind == _FEATURE and self._reader.set_feature(request[_REPORT.size : _REPORT.size + size])
        self._file.write(_TAKEN.pack(EventType.SET_REPORT_REPLY, number, 0) if taken else refusal(event))

    def _ready(self) -> bool:
        return self._opened

    def _give(self, report: bytes) -> None:
        with contextlib.suppress(OSError):  # it is being unplugged
            self._file.write(input_report(report))

    def _close_files(self) -> None:
        self._binding.close()
        self._file.close()
