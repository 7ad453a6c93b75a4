"""Find the ``/dev/hidrawN`` that the kernel made for a device."""

import os
import time
from pathlib import Path

from emulators.usb.errors import PlugError

CLASS = Path("/sys/class/hidraw")
_STEP = 0.01
_UDEV = 2.0
"""Seconds that udev is given to open a new node to its users; where no rule does, the node stays as the kernel made it."""


def find_hidraw(line: str, nodes: Path = CLASS) -> Path | None:
    """The node of the device whose description in sysfs has ``line``, as ``HID_PHYS=port``; None while there is none.

    The kernel lists a device a moment before it makes the node.
    """
    for node in nodes.glob("*"):
        try:
            described = (node / "device" / "uevent").read_text(encoding="utf-8", errors="replace")
        except OSError:  # unplugged between the two looks
            continue
        if line in described.splitlines():
            return Path("/dev") / node.name
    return None


def wait_for_hidraw(line: str, timeout: float = 10.0) -> Path:
    """That node, as soon as this process can open it, or udev does not let it.

    Raises:
        PlugError: if there is none after ``timeout`` seconds.
    """
    deadline = time.monotonic() + timeout
    seen: float | None = None
    while (now := time.monotonic()) < deadline:
        node = find_hidraw(line)
        if node is not None and node.exists():
            seen = now if seen is None else seen
            if os.access(node, os.R_OK | os.W_OK) or now - seen > _UDEV:
                return node
        time.sleep(_STEP)
    raise PlugError(
        f"the kernel made no /dev/hidraw node within {timeout:g} s: is hid-generic loaded, is udev running?"
    )
