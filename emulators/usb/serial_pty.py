"""A serial device on a pseudo-terminal: a host opens ``/dev/pts/N`` as it would open ``/dev/ttyUSB0``."""

import contextlib
import os
import select
import termios
import tty
from collections.abc import Mapping
from pathlib import Path

from emulators.usb.errors import PlugError
from emulators.usb.serial_shell import Device, SerialShell

_OUTPUT_SPEED = 5  # where a list of terminal attributes keeps it
_SPEEDS = {
    getattr(termios, name): int(name[1:]) for name in dir(termios) if name.startswith("B") and name[1:].isdigit()
}


class SerialPty(SerialShell[Device]):
    """A serial line between ``device`` and whoever opens ``path``.

    Args:
        device: what is at the other end.
        link: where to put a symbolic link to the terminal, for hosts that want the same name each time.
        any_speed: understand each other at different baud rates too, as over USB. Otherwise the host must set the
            device's rate, as on a real line; with another one, both read garbage.

    Raises:
        PlugError: if ``link`` cannot be made, or something other than a link is there.
        OSError: if the machine has no pseudo-terminal left.
    """

    def __init__(self, device: Device, link: Path | None = None, *, any_speed: bool = False) -> None:
        super().__init__(device)
        self._any_speed = any_speed
        # A terminal that nobody has open reports a hang-up all the time, so the host's end is held open here too.
        self._device_end, self._host_end = os.openpty()
        tty.setraw(self._host_end)
        os.set_blocking(self._device_end, False)
        self.path = os.ttyname(self._host_end)
        """The terminal to give to a host."""
        self._link = link
        if link is not None:
            try:
                _make_link(link, self.path)
            except PlugError:
                self._link = None
                self.close()
                raise

    def _wanted(self) -> Mapping[int, int]:
        return {self._device_end: select.POLLIN | (select.POLLOUT if self._outbox else 0)}

    def _receive(self, ready: Mapping[int, int]) -> bytes:
        if not ready.get(self._device_end, 0) & select.POLLIN:
            return b""
        try:
            return os.read(self._device_end, 4096)
        except BlockingIOError:
            return b""

    def _write(self, data: bytes) -> int:
        return os.write(self._device_end, data)

    def _speeds_differ(self) -> bool:
        if self._any_speed:
            return False
        return _SPEEDS.get(termios.tcgetattr(self._device_end)[_OUTPUT_SPEED]) != self._device.baud_rate

    def _close_files(self) -> None:
        if self._link is not None and self._link.is_symlink():
            with contextlib.suppress(OSError):  # the folder may be gone, and then so is the link
                self._link.unlink()
        os.close(self._device_end)
        os.close(self._host_end)


def _make_link(link: Path, target: str) -> None:
    try:
        if link.is_symlink():  # left behind by a run that was killed
            link.unlink()
        link.symlink_to(target)
    except OSError as error:
        raise PlugError(f"cannot put a link to {target} at {link}: {error.strerror}") from error
