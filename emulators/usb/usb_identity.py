"""How a USB device presents itself, and an empty device of the library ``usbip`` that does so."""

from dataclasses import dataclass
from typing import Any

import usbip  # type: ignore[import-untyped] # the library has no types

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


def bare_device(identity: UsbIdentity) -> Any:
    """A full-speed ``usbip.USBDevice`` without an interface."""
    return usbip.USBDevice(
        identity.vendor,
        identity.product,
        manufacturer=_fitting(identity.manufacturer),
        product=_fitting(identity.product_name),
        serial=_fitting(identity.serial_number),
        bcdDevice=identity.version,
    )


def _fitting(text: str) -> str:
    """As much of ``text`` as one string descriptor holds, cut between characters."""
    units = text.encode("utf-16-le", errors="replace")[: 2 * _LONGEST_STRING]
    return units.decode("utf-16-le", errors="ignore")
