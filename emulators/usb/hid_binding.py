"""Hear when Linux has done with welcoming a HID device: what the device says before is lost, though its node is there."""

import socket
import threading
import time
from pathlib import Path

from emulators.usb.hidraw import wait_for_hidraw

_UEVENTS = 15
"""NETLINK_KOBJECT_UEVENT (linux/netlink.h), which Python does not name."""
_KERNEL_NEWS = 1
"""The group of the kernel's own messages there, which anyone may hear; udev's are another."""
_MESSAGE_BYTES = 1 << 16


class HidBinding:
    """Listens for the news that a driver has taken the device whose description in sysfs has ``line``, as ``HID_PHYS=port``.

    Begin before it is plugged in. Linux makes the device node while the driver still looks at the device, and until that
    ends it drops its reports (``hid_input_report`` while ``driver_input_lock`` is held). ``news`` are another kernel's.
    """

    def __init__(self, line: str, news: socket.socket | None = None) -> None:
        self._line = line
        self._lock = threading.Lock()
        self._news = _listen() if news is None else news

    def node(self) -> Path:
        """The device's ``/dev/hidrawN``, once it can be opened and what the device says is heard.

        Raises:
            PlugError: if the kernel makes none.
        """
        node = wait_for_hidraw(self._line)
        self.wait()
        self.close()  # where no news comes, who asks again does not wait again
        return node

    def wait(self, timeout: float = 1.0) -> bool:
        """Whether a driver has taken it, within ``timeout`` seconds; True too where that cannot be heard."""
        deadline = time.monotonic() + timeout
        with self._lock:
            while self._news is not None and (left := deadline - time.monotonic()) > 0:
                self._news.settimeout(left)
                try:
                    message = self._news.recv(_MESSAGE_BYTES)
                except TimeoutError:
                    break
                except OSError:  # so much news that some was lost: nobody knows
                    self._stop_listening()
                    break
                if message.startswith(b"bind@") and self._line.encode() in message.split(b"\0"):
                    self._stop_listening()
            return self._news is None

    def close(self) -> None:
        """Listen no longer."""
        with self._lock:
            self._stop_listening()

    def _stop_listening(self) -> None:
        if self._news is not None:
            self._news.close()
            self._news = None


def _listen() -> socket.socket | None:
    """The kernel's messages; None where there are none, as in some containers."""
    try:
        news = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _UEVENTS)
    except (AttributeError, OSError):  # no Linux, or a sandbox
        return None
    try:
        news.bind((0, _KERNEL_NEWS))
    except OSError:
        news.close()
        return None
    return news
