"""A key on a pseudo-terminal: ``fido2-token -I /dev/pts/N`` works without root, kernel module or hardware.

libfido2 takes any character device for a HID node: it writes a report id (0) and 64 bytes, and reads 64 bytes.
"""

import contextlib
import os
import select
import termios
import tty

from emulators.fido_authenticator.ctaphid import BROADCAST, REPORT_BYTES, Command, CtapHid
from emulators.fido_authenticator.transports.preparation import Preparation
from emulators.usb.service import Service

_WRITTEN_BYTES = 1 + REPORT_BYTES
_OPENING = BROADCAST.to_bytes(4) + bytes((0x80 | Command.INIT,))
"""How the first report begins that a host writes."""
_BACKLOG_BYTES = 1 << 18
"""With so much unread by the host, further reports are lost, as those of a hidraw node are after 64."""
_CC = 6  # where a list of terminal attributes keeps the control characters


class PtyTransport(Service):
    """A cable between ``hid`` and the one host that opens ``path``; hosts may come and go, one after another.

    What a host leaves behind when it closes the device, a command that waits or reports unread, is dropped. The next
    host may be faster than the news of that, so a broadcast INIT too is taken for what it is with every known host:
    the first word of one that has just opened the device.

    Time-outs are kept on the env's clock: one that stands still never ends a wait.

    Raises:
        OSError: if the machine has no pseudo-terminal left.
    """

    def __init__(self, hid: CtapHid) -> None:
        self._key_end, host_end = os.openpty()
        super().__init__()
        self.hid = hid
        self.path = os.ttyname(host_end)
        """The device to give to a host."""
        # A terminal that nobody has open reports a hang-up all the time, so until a host says something, the key
        # holds the host's end open itself.
        self._placeholder: int | None = host_end
        _make_report_device(host_end)
        os.set_blocking(self._key_end, False)
        self._inbox = b""
        self._inbox_since = 0.0
        self._outbox = bytearray()
        self._preparation = Preparation(hid.authenticator)
        hid.authenticator.user.listen(self.wake)

    def run(self) -> None:
        """Serve hosts until ``stop`` is called from another thread."""
        while not self._stopping:
            with self._lock:
                deadline = self.hid.next_deadline()
                pause = None if deadline is None else max(0.0, deadline - self.hid.clock.monotonic()) * 1000
                wanted = {self._key_end: select.POLLIN | (select.POLLOUT if self._outbox else 0)}
            ready = self._wait(wanted, self._preparation.shorten(pause))
            with self._lock:
                self._preparation.waited(idle=not ready and pause is None)
                if self._key_end in ready:
                    self._receive()
                self.hid.poll()
                self._send()

    def power_cycle(self) -> None:
        """Unplug the key and plug it in again; the path stays."""
        with self._lock:
            self.hid.power_cycle()
            self._outbox.clear()
        self.wake()

    def close(self) -> None:
        """Stop, and take the key away: a host that has it open reads an error. Twice is allowed."""
        if not self._closed:
            self.hid.authenticator.user.unlisten(self.wake)
        super().close()

    def _close_files(self) -> None:
        self._drop_placeholder()
        os.close(self._key_end)

    def _receive(self) -> None:
        try:
            data = os.read(self._key_end, 1 << 16)
        except BlockingIOError:
            return
        except OSError:  # EIO, a hang-up: nobody has the device open
            self._inbox = b""
            self._forget_host()
            return
        now = self.hid.clock.monotonic()
        if now - self._inbox_since > self.hid.authenticator.profile.timing.fragment:
            # Hosts write whole reports: the half of one is given up when its rest does not come.
            self._inbox = b""
        self._inbox_since = now
        data = self._inbox + data
        whole = len(data) - len(data) % _WRITTEN_BYTES
        for at in range(0, whole, _WRITTEN_BYTES):
            report = data[at + 1 : at + _WRITTEN_BYTES]
            if report.startswith(_OPENING):
                self._forget_host()
            self.hid.receive(report)
        self._inbox = data[whole:]
        self._drop_placeholder()

    def _forget_host(self) -> None:
        """Drop what the last host left behind, and hold its end open for the next."""
        self.hid.host_left()
        self._outbox.clear()
        if self._placeholder is None:
            self._placeholder = os.open(self.path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        termios.tcflush(self._placeholder, termios.TCIFLUSH)

    def _drop_placeholder(self) -> None:
        """From now on, the last host's close is a hang-up."""
        if self._placeholder is not None:
            os.close(self._placeholder)
            self._placeholder = None

    def _send(self) -> None:
        for report in self.hid.take_reports():
            if len(self._outbox) < _BACKLOG_BYTES:
                self._outbox += report
        with contextlib.suppress(BlockingIOError):
            while self._outbox:
                del self._outbox[: os.write(self._key_end, self._outbox)]


def _make_report_device(descriptor: int) -> None:
    """Bytes pass unchanged, and a host never reads half a report."""
    tty.setraw(descriptor)
    attributes = termios.tcgetattr(descriptor)
    attributes[_CC][termios.VMIN] = REPORT_BYTES
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
