"""What the cables of HID readers share, and how the readers present themselves."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from emulators.camera_scanner.barcode_readers.hid.reader import HidReader
from emulators.env import SystemClock
from emulators.usb.service import Service
from emulators.usb.usb_identity import UsbIdentity

Reader = TypeVar("Reader", bound=HidReader)

WEDGE_IDENTITY = UsbIdentity(0x1209, 0x0005, 0x0100, "Authrig", "Authrig test keyboard wedge")
POS_IDENTITY = UsbIdentity(0x1209, 0x0006, 0x0100, "Authrig", "Authrig test HID-POS reader")
"""Numbers from the range that pid.codes keeps for tests."""

POLL_INTERVAL_MS = 8
"""How often a host asks a full-speed keyboard, and so the shortest time between two reports. Linux keeps 64 events for
each program that reads a keyboard and drops all of them when one more comes: a faster cable would lose text."""


class HidShell(Service, Generic[Reader]):
    """A cable between ``reader`` and its host. Time-outs are kept on the reader's clock."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self._reader = reader
        self._clock = SystemClock()
        self._next_at = 0.0

    @property
    @abstractmethod
    def in_use(self) -> bool:
        """Whether a report would be read now."""

    @abstractmethod
    def unplug(self) -> None:
        """Pull it out: its device nodes go away, also in the middle of a code."""

    @abstractmethod
    def _wanted(self) -> Mapping[int, int]:
        """The descriptors to wait for, each with its poll events; called with the lock held, like all below."""

    @abstractmethod
    def _receive(self, ready: Mapping[int, int]) -> None:
        """Take what the host has sent; ``ready`` are descriptors and the events that came."""

    @abstractmethod
    def _ready(self) -> bool:
        """Whether the host takes a report now."""

    @abstractmethod
    def _give(self, report: bytes) -> None:
        """Give the host a report."""

    @contextlib.contextmanager
    def using(self) -> Iterator[Reader]:
        """The reader, to press its button or hold something before it; the cable waits meanwhile."""
        with self._lock:
            yield self._reader
        self.wake()

    def run(self) -> None:
        """Serve until ``stop`` is called from another thread."""
        while not self._stopping:
            with self._lock:
                self._reader.poll()
                self._send()
                wanted, pause = self._wanted(), self._pause()
            ready = self._wait(wanted, pause)
            with self._lock:
                self._receive(ready)

    def _send(self) -> None:
        now = self._clock.monotonic()
        if now < self._next_at or not self._ready():
            return
        report = self._reader.take_report()
        if report is not None:
            self._next_at = now + POLL_INTERVAL_MS / 1000
            self._give(report)

    def _pause(self) -> float | None:
        """Milliseconds until there is something to do; None: until something happens."""
        now = self._reader.clock.monotonic()
        pauses = [deadline - now for deadline in (self._reader.next_deadline(),) if deadline is not None]
        due = self._reader.next_report()
        # Where the host takes nothing now, its next question wakes this thread.
        if due is not None and self._ready():
            pauses.append(max(due - now, self._next_at - self._clock.monotonic()))
        return max(0.0, min(pauses)) * 1000 if pauses else None
