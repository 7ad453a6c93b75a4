"""A key's reports as the USB traffic that Linux's usbmon would have seen (LINKTYPE_USB_LINUX_MMAPPED).

The requests for descriptors that a host makes first come first, so that Wireshark knows a HID device.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from emulators.fido_authenticator.ctaphid import REPORT_BYTES, Direction
from emulators.fido_authenticator.profile import Profile
from emulators.fido_authenticator.transports.fido_hid import POLL_INTERVAL_MS, REPORT_DESCRIPTOR, bcd

LINK_TYPE = 220

_INTERRUPT, _CONTROL = 1, 2
_IN = 0x80
_ENDPOINT = 1
_SUBMIT, _COMPLETE = b"S", b"C"
_IN_PROGRESS = -115  # -EINPROGRESS: how a transfer stands when it is submitted
_PRESENT, _NO_SETUP, _NO_DATA_IN, _NO_DATA_OUT = b"\0", b"-", b"<", b">"

_GET_DESCRIPTOR, _SET_CONFIGURATION = 6, 9
_TO_HOST_DEVICE, _TO_HOST_INTERFACE, _TO_DEVICE = 0x80, 0x81, 0x00
_DEVICE, _CONFIGURATION, _STRING, _REPORT = 1, 2, 3, 0x22
_ENGLISH = 0x0409
_LONGEST_STRING = 126  # UTF-16 units


@dataclass(frozen=True, slots=True)
class _Setup:
    """The request of a control transfer."""

    kind: int
    request: int
    value: int
    index: int
    length: int

    @property
    def bytes(self) -> bytes:
        return struct.pack("<BBHHH", self.kind, self.request, self.value, self.index, self.length)


@dataclass(frozen=True, slots=True)
class _Transfer:
    """A request to the bus: ``length`` is how many bytes it is about, in either direction."""

    number: int
    kind: int
    endpoint: int
    length: int


class UsbKey:
    """One key at one address of a bus; each of its methods makes the packets of one event at ``now`` (since 1970)."""

    def __init__(self, profile: Profile, bus: int, address: int) -> None:
        self._profile = profile
        self._bus = bus
        self._address = address
        self._transfers = 0

    def enumeration(self, now: float) -> Iterator[bytes]:
        """What a host asks a device that has just been plugged in, and the answers."""
        usb = self._profile.usb
        yield from self._ask(now, _DEVICE << 8, 0, _device_descriptor(self._profile))
        yield from self._ask(now, _CONFIGURATION << 8, 0, _configuration_descriptor())
        yield from self._ask(now, _STRING << 8, 0, struct.pack("<BBH", 4, _STRING, _ENGLISH))
        for index, text in enumerate((usb.manufacturer, usb.product, usb.serial_number), start=1):
            if text:
                yield from self._ask(now, _STRING << 8 | index, _ENGLISH, _string_descriptor(text))
        yield from self._control(now, _Setup(_TO_DEVICE, _SET_CONFIGURATION, 1, 0, 0), b"")
        asked = _Setup(_TO_HOST_INTERFACE, _GET_DESCRIPTOR, _REPORT << 8, 0, len(REPORT_DESCRIPTOR))
        yield from self._control(now, asked, REPORT_DESCRIPTOR)

    def report(self, now: float, direction: Direction, report: bytes) -> tuple[bytes, bytes]:
        """An interrupt transfer: its submission and its completion. To the key the first has the data, else the second."""
        if direction == "to_key":
            transfer = self._transfer(_INTERRUPT, _ENDPOINT, len(report))
            return self._packet(now, _SUBMIT, transfer, report), self._packet(now, _COMPLETE, transfer, b"")
        transfer = self._transfer(_INTERRUPT, _IN | _ENDPOINT, REPORT_BYTES)
        return self._packet(now, _SUBMIT, transfer, b""), self._packet(now, _COMPLETE, transfer, report)

    def _ask(self, now: float, value: int, index: int, descriptor: bytes) -> Iterator[bytes]:
        setup = _Setup(_TO_HOST_DEVICE, _GET_DESCRIPTOR, value, index, len(descriptor))
        yield from self._control(now, setup, descriptor)

    def _control(self, now: float, setup: _Setup, answer: bytes) -> Iterator[bytes]:
        transfer = self._transfer(_CONTROL, setup.kind & _IN, setup.length)
        yield self._packet(now, _SUBMIT, transfer, b"", setup)
        yield self._packet(now, _COMPLETE, transfer, answer)

    def _transfer(self, kind: int, endpoint: int, length: int) -> _Transfer:
        self._transfers += 1
        return _Transfer(self._transfers, kind, endpoint, length)

    def _packet(self, now: float, event: bytes, transfer: _Transfer, data: bytes, setup: _Setup | None = None) -> bytes:
        """The header of Documentation/usb/usbmon.rst, 64 bytes, and the data."""
        microseconds = round(now * 1_000_000)
        no_data = _NO_DATA_IN if transfer.endpoint & _IN else _NO_DATA_OUT
        return (
            struct.pack(
                "<QcBBBHcc",
                *(transfer.number, event, transfer.kind, transfer.endpoint, self._address, self._bus),
                _NO_SETUP if setup is None else _PRESENT,
                _PRESENT if data else no_data,
            )
            + struct.pack(
                "<qiiII",
                microseconds // 1_000_000,
                microseconds % 1_000_000,
                _IN_PROGRESS if event == _SUBMIT else 0,
                transfer.length,
                len(data),
            )
            + (bytes(8) if setup is None else setup.bytes)
            + struct.pack("<iiII", POLL_INTERVAL_MS if transfer.kind == _INTERRUPT else 0, 0, 0, 0)
            + data
        )


def _device_descriptor(profile: Profile) -> bytes:
    usb = profile.usb
    return struct.pack(
        "<BBHBBBBHHHBBBB",
        *(18, _DEVICE, 0x0200, 0, 0, 0, 64),
        *(usb.vendor_id, usb.product_id, bcd(profile.ctaphid.device_version)),
        *(1, 2, 3 if usb.serial_number else 0, 1),
    )


def _configuration_descriptor() -> bytes:
    """One HID interface with an interrupt endpoint each way (CTAP 2.3 §11.2.8.1)."""
    hid = struct.pack("<BBHBBBH", 9, 0x21, 0x0111, 0, 1, _REPORT, len(REPORT_DESCRIPTOR))
    interface = bytes((9, 4, 0, 0, 2, 3, 0, 0, 0))
    endpoints = b"".join(
        struct.pack("<BBBBHB", 7, 5, address, 3, REPORT_BYTES, POLL_INTERVAL_MS)
        for address in (_IN | _ENDPOINT, _ENDPOINT)
    )
    body = interface + hid + endpoints
    return struct.pack("<BBHBBBBB", 9, _CONFIGURATION, 9 + len(body), 1, 1, 0, 0x80, 50) + body


def _string_descriptor(text: str) -> bytes:
    units = text.encode("utf-16-le", errors="replace")[: 2 * _LONGEST_STRING]
    return bytes((2 + len(units), _STRING)) + units
