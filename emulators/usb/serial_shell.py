"""What the shells of serial devices share."""

import contextlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from emulators.usb.serial_device import SerialDevice
from emulators.usb.service import Service

Device = TypeVar("Device", bound=SerialDevice)

_BACKLOG_BYTES = 1 << 16
"""With so much unread by the host, further bytes are lost, as they are on a line without flow control."""


class SerialShell(Service, Generic[Device]):
    """A line between ``device`` and its host.

    Time-outs are kept on the device's clock: one that stands still never ends a wait.
    """

    def __init__(self, device: Device) -> None:
        super().__init__()
        self._device = device
        self._outbox = bytearray()

    @abstractmethod
    def _wanted(self) -> Mapping[int, int]:
        """The descriptors to wait for, each with its poll events; called with the lock held, like all below."""

    @abstractmethod
    def _receive(self, ready: Mapping[int, int]) -> bytes:
        """What the host has sent; ``ready`` are descriptors and the events that came."""

    @abstractmethod
    def _write(self, data: bytes) -> int:
        """Give the host as much of ``data`` as it takes now; returns how many bytes that was.

        Raises:
            BlockingIOError: if it takes none.
        """

    def _speeds_differ(self) -> bool:
        """Whether host and device have set different baud rates, so that neither understands the other."""
        return False

    @contextlib.contextmanager
    def using(self) -> Iterator[Device]:
        """The device, to press its buttons or hold something before it; the line waits meanwhile."""
        with self._lock:
            yield self._device
        self.wake()

    def run(self) -> None:
        """Serve until ``stop`` is called from another thread."""
        while not self._stopping:
            with self._lock:
                self._device.poll()
                self._send()
                wanted = self._wanted()
                deadline = self._device.next_deadline()
                pause = None if deadline is None else max(0.0, deadline - self._device.clock.monotonic()) * 1000
            ready = self._wait(wanted, pause)
            with self._lock:
                if data := self._receive(ready):
                    self._device.receive(garble(data) if self._speeds_differ() else data)
                self._send()

    def _send(self) -> None:
        # Before the bytes are taken, since taking them may begin a new baud rate.
        garbled = self._speeds_differ()
        said = self._device.take_output()
        self._outbox += (garble(said) if garbled else said)[: max(0, _BACKLOG_BYTES - len(self._outbox))]
        with contextlib.suppress(BlockingIOError):
            while self._outbox:
                del self._outbox[: self._write(bytes(self._outbox))]


def garble(data: bytes) -> bytes:
    """What a receiver takes ``data`` for that samples at another speed: none of it is right."""
    return bytes(byte ^ 0xE5 for byte in data)
