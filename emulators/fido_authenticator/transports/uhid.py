"""A key on Linux's uhid: the kernel makes a real ``/dev/hidrawN`` for it, as for a key in a USB port."""

import itertools
import os
import select
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import msgspec

from emulators.fido_authenticator.ctaphid import CONTINUATION_DATA_BYTES, INITIAL_DATA_BYTES, REPORT_BYTES, CtapHid
from emulators.fido_authenticator.profile import Profile
from emulators.fido_authenticator.transports.fido_hid import REPORT_DESCRIPTOR, bcd
from emulators.fido_authenticator.transports.pace import Pace
from emulators.fido_authenticator.transports.polled import PolledTransport
from emulators.usb.hid_binding import HidBinding
from emulators.usb.uhid import NODE, QUEUED_EVENTS, EventType, HidDevice, UhidFile, destroy, input_report, refusal

_NEXT_HOST = 3  # the last host closes the node, the next one opens it and sends its first report
LONGEST_MESSAGE = INITIAL_DATA_BYTES + (QUEUED_EVENTS - _NEXT_HOST - 1) * CONTINUATION_DATA_BYTES
"""Bytes of a message whose reports fit into the kernel's queue however busy the machine is, with room for a next host."""
_BACKLOG = 4096
"""Reports that wait for their turn; older ones are lost, as in a host that does not read."""
_OUTPUT = EventType.OUTPUT.value  # looked up once, not for each report
_number = itertools.count(1)


def fit_profile(profile: Profile) -> Profile:
    """``profile`` with messages no longer than uhid carries for sure, as most keys have them; hosts keep to it."""
    longest = min(profile.limits.max_msg_size, LONGEST_MESSAGE)
    return msgspec.structs.replace(profile, limits=msgspec.structs.replace(profile.limits, max_msg_size=longest))


class UhidTransport(PolledTransport):
    """A cable between ``hid`` and every program that opens its node; it is plugged in from the start.

    Messages to the key that are longer than ``LONGEST_MESSAGE`` may lose reports: ``fit_profile`` keeps hosts from it.

    Raises:
        PlugError: if this kernel has no uhid or the user may not use it.
    """

    def __init__(self, hid: CtapHid, node: Path = NODE) -> None:
        self._file = UhidFile(node)
        self._awaited = {self._file.descriptor: select.POLLIN}
        super().__init__(hid)
        self._device = _describe(hid)
        self._outbox: deque[bytes] = deque(maxlen=_BACKLOG)
        self._pace = Pace()
        self._binding = HidBinding(f"HID_PHYS={self._device.phys}")
        self._file.write(self._device.create())
        self._plugged_in = True

    @property
    def path(self) -> Path:
        """The device node; waits for the kernel to make it, and to take what the key says.

        Raises:
            PlugError: if it makes none.
        """
        return self._binding.node()

    def unplug(self) -> None:
        """Pull the key out: the node goes away, and who has it open reads an error."""
        with self._lock:
            if self._plugged_in:
                self._plugged_in = False
                self._file.write(destroy())
                self._forget()

    def plug_in(self) -> None:
        """Put the key in, which powers it up; it may get another node than before."""
        with self._lock:
            if not self._plugged_in:
                self.hid.power_cycle()
                self._binding.close()
                self._binding = HidBinding(f"HID_PHYS={self._device.phys}")
                self._file.write(self._device.create())
                self._plugged_in = True
        self.wake()

    def power_cycle(self) -> None:
        """Pull the key out and put it in again."""
        self.unplug()
        self.plug_in()

    def _wanted(self) -> Mapping[int, int]:
        return self._awaited

    def _receive(self, ready: Mapping[int, int]) -> None:
        if self._file.descriptor not in ready:
            return
        # All events are taken before any is handled: the kernel keeps few, and drops what a fast host writes on top.
        for event in self._file.events():
            if event.type == _OUTPUT:
                if not self._outbox:
                    self._pace.refill()
                # A program writes the report's id (0) in front; the interrupt endpoint of a real key never sees it.
                self.hid.receive(event.data[1:] if len(event.data) == 1 + REPORT_BYTES else event.data)
            elif event.type in (EventType.OPEN, EventType.CLOSE):
                # The last host has left, or the first has come: the news of one may have been dropped by a full queue.
                self._forget()
            elif event.type in (EventType.GET_REPORT, EventType.SET_REPORT):
                self._file.write(refusal(event))

    def _forget(self) -> None:
        """Nobody has the key open: nobody waits for what is under way, and the next host must not read it."""
        self.hid.host_left()
        self._outbox.clear()

    def _send(self) -> None:
        outbox = self._outbox
        outbox.extend(self.hid.take_reports())
        try:
            while outbox and self._pace.take():
                self._file.write(input_report(outbox.popleft()))
        except OSError:
            # A device that is being unplugged takes no reports.
            outbox.clear()

    def _send_pause(self) -> float | None:
        return self._pace.wait() if self._outbox else None

    def _close_files(self) -> None:
        self._binding.close()
        self._file.close()


def _describe(hid: CtapHid) -> HidDevice:
    """The key as its profile presents it, in a port of its own."""
    usb = hid.authenticator.profile.usb
    return HidDevice(
        name=f"{usb.manufacturer} {usb.product}",
        phys=f"authrig-{os.getpid()}/{next(_number)}",
        uniq=usb.serial_number,
        vendor=usb.vendor_id,
        product=usb.product_id,
        version=bcd(hid.authenticator.profile.ctaphid.device_version),
        report_descriptor=REPORT_DESCRIPTOR,
    )
