"""A full-speed USB device with one HID interface, as the library ``usbip`` builds it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import usbip  # type: ignore[import-untyped] # the library has no types
from usbip.classes.device.hid import HID  # type: ignore[import-untyped] # as above

_LONGEST_STRING = 126
"""UTF-16 units that a string descriptor holds."""


@dataclass(frozen=True, slots=True)
class UsbIdentity:
    """How a USB device presents itself; ``version`` is binary-coded decimal (0x0102: 1.02)."""

    vendor: int
    product: int
    version: int
    manufacturer: str
    product_name: str
    serial_number: str = ""


class UsbHid:
    """The device, with an interrupt endpoint of 64 bytes each way; ``on_report`` gets what a host sends."""

    def __init__(
        self, identity: UsbIdentity, report_descriptor: bytes, interval_ms: int, on_report: Callable[[bytes], None]
    ) -> None:
        self._interface = HID(
            report_descriptor,
            in_ep=0x81,
            in_interval=interval_ms,
            out_ep=0x01,
            out_interval=interval_ms,
            on_output=on_report,
        )
        self.device: Any = usbip.USBDevice(
            identity.vendor,
            identity.product,
            manufacturer=_fitting(identity.manufacturer),
            product=_fitting(identity.product_name),
            serial=_fitting(identity.serial_number),
            bcdDevice=identity.version,
        )
        self.device.add(self._interface)

    def send(self, report: bytes) -> None:
        """Give the host a report as soon as it asks."""
        self._interface.send_report(report)

    @property
    def unsent(self) -> int:
        """How many reports the host has not asked for yet."""
        return len(self._interface.in_ep._q)  # noqa: SLF001 - the library has no public word for it

    def forget(self) -> None:
        """Drop what the host has not asked for yet."""
        self._interface.in_ep.reset()


def _fitting(text: str) -> str:
    """As much of ``text`` as one string descriptor holds, cut between characters."""
    units = text.encode("utf-16-le", errors="replace")[: 2 * _LONGEST_STRING]
    return units.decode("utf-16-le", errors="ignore")
