"""A key as a whole USB device, over USB/IP: `usbip attach` plugs it into a Linux or Windows machine, this one or another."""

import math
from collections import deque
from collections.abc import Mapping

from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.transports.fido_hid import POLL_INTERVAL_MS, REPORT_DESCRIPTOR, bcd
from emulators.fido_authenticator.transports.pace import Pace
from emulators.fido_authenticator.transports.polled import PolledTransport
from emulators.usb.usbip_hid import UsbHid, UsbIdentity
from emulators.usb.usbip_server import UsbIpServer

_BACKLOG = 4096
"""Reports that are kept for a host that does not ask for them; newer ones are lost."""


class UsbTransport(PolledTransport):
    """A cable between ``hid`` and the host that attaches ``busid`` of ``server``; it is on offer from the start.

    A key has power while it is attached: to attach it is to plug it in.
    """

    def __init__(self, hid: CtapHid, server: UsbIpServer) -> None:
        super().__init__(hid)
        self._awake_at = math.inf
        profile = hid.authenticator.profile
        identity = UsbIdentity(
            profile.usb.vendor_id,
            profile.usb.product_id,
            bcd(profile.ctaphid.device_version),
            profile.usb.manufacturer,
            profile.usb.product,
            profile.usb.serial_number,
        )
        self._usb = UsbHid(identity, REPORT_DESCRIPTOR, POLL_INTERVAL_MS, self._report)
        self._server = server
        self._outbox: deque[bytes] = deque(maxlen=_BACKLOG)
        self._pace = Pace()
        self.busid: str | None = server.plug_in(self._usb.device, self)
        """What a host attaches; None while the key is unplugged."""

    def unplug(self) -> None:
        """Pull the key out: its device nodes go away, and who has one open reads an error."""
        if self.busid is not None:
            busid, self.busid = self.busid, None
            self._server.unplug(busid)

    def plug_in(self) -> None:
        """Offer the key again; a host has to attach it anew."""
        if self.busid is None:
            self.busid = self._server.plug_in(self._usb.device, self)

    def attached(self) -> None:
        """A host has plugged the key in, which powers it up."""
        with self._lock:
            self._forget()
            self.hid.power_cycle()

    def detached(self) -> None:
        """The host is gone."""
        self.unwatched()

    def unwatched(self) -> None:
        """No program has the key open: nobody waits for what is under way, and the next must not read it."""
        with self._lock:
            self.hid.host_left()
            self._forget()

    def _report(self, report: bytes) -> None:
        """Answer in the thread of the host's connection: a second thread would only be slower."""
        with self._lock:
            if not self._outbox:
                self._pace.refill()
            self.hid.receive(report)
            self._send()
            planned, due = self._awake_at, self._plan()
        # The other thread is woken only if it would sleep too long, not for each fragment of a message.
        if due < planned:
            self.wake()

    def _pause(self) -> float | None:
        self._awake_at = self._plan()
        return super()._pause()

    def _plan(self) -> float:
        """When the key has something to do by itself, on the env's clock; infinity: never."""
        pause = super()._pause()
        return math.inf if pause is None else self.hid.clock.monotonic() + pause / 1000

    def _wanted(self) -> Mapping[int, int]:
        return {}

    def _receive(self, ready: Mapping[int, int]) -> None:
        """Reports come through ``_report``."""

    def _send(self) -> None:
        self._outbox.extend(self.hid.take_reports())
        while self._outbox and self._pace.take():
            report = self._outbox.popleft()
            if self._usb.unsent < _BACKLOG:
                self._usb.send(report)

    def _send_pause(self) -> float | None:
        return self._pace.wait() if self._outbox else None

    def _forget(self) -> None:
        self._outbox.clear()
        self._usb.forget()

    def _close_files(self) -> None:
        """The server belongs to whoever made it."""

    def close(self) -> None:
        """Unplug the key for good."""
        self.unplug()
        super().close()
