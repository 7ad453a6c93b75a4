"""What the shells of serial devices share: one thread, one lock, a way to wake it."""

import contextlib
import os
import select
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Generic, Self, TypeVar

from emulators.usb.serial_device import SerialDevice

Device = TypeVar("Device", bound=SerialDevice)

_BACKLOG_BYTES = 1 << 16
"""With so much unread by the host, further bytes are lost, as they are on a line without flow control."""


class SerialShell(ABC, Generic[Device]):
    """A line between ``device`` and its host: ``run`` serves until ``stop``; as a context manager in a thread of its own.

    Time-outs are kept on the device's clock: one that stands still never ends a wait.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._woken, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # Reentrant, as whoever uses the device may do so from within the shell's own thread.
        self._lock = threading.RLock()
        self._outbox = bytearray()
        self._stopping = False
        self._closed = False
        self._thread: threading.Thread | None = None

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

    @abstractmethod
    def _close_files(self) -> None:
        """Close all that the shell has opened."""

    def _speeds_differ(self) -> bool:
        """Whether host and device have set different baud rates, so that neither understands the other."""
        return False

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.run, name=type(self).__name__, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def using(self) -> Iterator[Device]:
        """The device, to press its buttons or hold something before it; the line waits meanwhile."""
        with self._lock:
            yield self._device
        self.wake()

    def run(self) -> None:
        """Serve until ``stop`` is called from another thread."""
        while not self._stopping:
            poll = select.poll()
            poll.register(self._woken, select.POLLIN)
            with self._lock:
                self._device.poll()
                self._send()
                for descriptor, events in self._wanted().items():
                    poll.register(descriptor, events)
                deadline = self._device.next_deadline()
                pause = None if deadline is None else max(0.0, deadline - self._device.clock.monotonic()) * 1000
            ready = dict(poll.poll(pause))
            with self._lock:
                if ready.pop(self._woken, 0):
                    os.read(self._woken, 4096)
                if data := self._receive(ready):
                    self._device.receive(garble(data) if self._speeds_differ() else data)
                self._send()

    def wake(self) -> None:
        """Have the shell look at its device now; may be called from any thread."""
        # A full pipe wakes just as well.
        with self._lock, contextlib.suppress(BlockingIOError):
            if not self._closed:
                os.write(self._waker, b"\0")

    def stop(self) -> None:
        """End ``run``; may be called from any thread."""
        self._stopping = True
        self.wake()

    def close(self) -> None:
        """Stop, and take the line away. Closing twice is allowed."""
        if self._closed:
            return
        self.stop()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            self._closed = True
            self._close_files()
            os.close(self._woken)
            os.close(self._waker)

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
