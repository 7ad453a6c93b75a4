"""A full-speed USB device with one HID interface, as the library ``usbip`` builds it."""

from collections.abc import Callable
from typing import Any

from usbip.classes.device.hid import HID  # type: ignore[import-untyped] # the library has no types

from emulators.usb.usb_identity import UsbIdentity, bare_device

__all__ = ["UsbHid", "UsbIdentity"]


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
        self.device: Any = bare_device(identity)
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
