"""Find the ``/dev/hidrawN`` that the kernel made for a device."""

import time
from pathlib import Path

from emulators.usb.errors import PlugError

CLASS = Path("/sys/class/hidraw")
_STEP = 0.01


def find_hidraw(phys: str, nodes: Path = CLASS) -> Path | None:
    """The device node whose physical location is ``phys``; None while there is none."""
    for node in nodes.glob("*"):
        try:
            described = (node / "device" / "uevent").read_text(encoding="utf-8", errors="replace")
        except OSError:  # unplugged between the two looks
            continue
        if f"HID_PHYS={phys}" in described.splitlines():
            return Path("/dev") / node.name
    return None


def wait_for_hidraw(phys: str, timeout: float = 10.0) -> Path:
    """The device node whose physical location is ``phys``, as soon as it can be opened.

    Raises:
        PlugError: if there is none after ``timeout`` seconds.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        node = find_hidraw(phys)
        if node is not None and node.exists():
            return node
        time.sleep(_STEP)
    raise PlugError(
        f"the kernel made no /dev/hidraw node within {timeout:g} s: is hid-generic loaded, is udev running?"
    )
