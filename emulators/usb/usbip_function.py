"""USB functions on the library ``usbip``: its limits are stated here, and mended here, so that no device works around them.

What the library (0.7) does not do, and what a function built on this module does instead:

- An endpoint hands out what was queued for a host that left, and its queue has no end. ``FedEndpoint`` keeps nothing: its
  owner is told when the host asks, and gives as much as was asked for.
- Nobody is told that a host has cleared a halt, by which Linux and Windows end a video stream on a bulk endpoint.
- Its serial port names interfaces 0 and 1 as its own wherever it stands, refuses a break, and believes the port open
  that the host before has left open. ``usbip_serial`` has its own.
- Its camera has one size, an isochronous endpoint that answers at once as often as it is asked, and takes any number for
  a format. ``usbip_video`` has its own, on a bulk endpoint, which waits until there is a picture.
- A class that is not alone on its device has to be told so before it is added. ``composite_device`` does that for all,
  one function or many, so that Linux and Windows both see functions and not loose interfaces.

What stays: one configuration, no alternate settings that a host could read back, no remote wake-up, no isochronous
endpoint in anything of ours.
"""

from collections.abc import Callable
from typing import Any

from usbip import core, device, function  # type: ignore[import-untyped] # the library has no types

from emulators.usb.usb_identity import UsbIdentity, bare_device

Stall = core.Stall
"""Raised by a handler of control requests to refuse one."""
Setup = core.Setup
Out = device.Out
BULK_BYTES = 512
"""A packet of a bulk endpoint at high speed."""


class FedEndpoint(device.Endpoint):  # type: ignore[misc] # the library has no types
    """An IN endpoint without a queue.

    Args:
        address: where it would like to be; a device with several functions may move it.
        kind: "bulk" or "interrupt".
        packet: bytes of its longest packet.
        on_asked: called in the thread of the host's connection when the host asks for data; may be called too often.
        on_cleared: called there when the host clears a halt, which it does also without one.
    """

    def __init__(
        self,
        address: int,
        kind: str,
        packet: int,
        on_asked: Callable[[], None] = lambda: None,
        on_cleared: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(device.In(address, kind, mps=packet, interval=9 if kind == "interrupt" else 0))
        self._on_asked = on_asked
        self._on_cleared = on_cleared

    @property
    def asked(self) -> bool:
        """Whether the host waits for data."""
        with self._cv:
            return bool(self._pending)

    def give(self, data: bytes | memoryview) -> int | None:
        """Answer the host's oldest request with as much of ``data`` as it asks for.

        Returns:
            How many bytes were asked for, which may be more than there are; None if no request waits.
        """
        with self._cv:
            if not self._pending:
                return None
            asked, complete, _ = self._pending.popleft()
        complete(bytes(data[:asked]))
        return int(asked)

    def take_or_park(self, length: int, complete: Callable[..., None], seqnum: int | None = None) -> bytes | None:
        """Let a request wait, and say so."""
        taken: bytes | None = super().take_or_park(length, complete, seqnum)
        self._on_asked()
        return taken

    def clear_halt(self) -> None:
        """Clear a halt, and say so."""
        super().clear_halt()
        self._on_cleared()


class UsbInterface(function.Interface):  # type: ignore[misc] # the library has no types
    """An interface with endpoints that are made one by one."""

    def add_in(self, endpoint: FedEndpoint) -> FedEndpoint:
        """Add an endpoint to the host."""
        self._endpoints[endpoint.number, endpoint.dir] = endpoint
        return endpoint

    def add_out(self, address: int, packet: int) -> None:
        """Add a bulk endpoint from the host; what it sends comes to ``on_out``."""
        self._add_endpoint(Out(address, "bulk", mps=packet))


class UsbFunction(function.Function):  # type: ignore[misc] # the library has no types
    """Interfaces that belong together and say so, with the class by which a host finds their driver."""

    iad = True

    def __init__(self, interfaces: tuple[UsbInterface, ...], kind: tuple[int, int, int], name: str = "") -> None:
        self.iad_class, self.iad_subclass, self.iad_protocol = kind
        self._name = name
        super().__init__(interfaces)

    def _on_added(self) -> None:
        if self._name:
            self.iad_function_str = self.dev.add_string(self._name)
            self._interfaces[0].string_index = self.iad_function_str
        super()._on_added()


def composite_device(identity: UsbIdentity, *functions: UsbFunction) -> Any:
    """A high-speed ``usbip.USBDevice`` with one or several functions."""
    made = bare_device(identity)
    made.set_composite()
    made.set_speed(core.SPEED_HIGH)
    for one in functions:
        made.add(one)
    return made
