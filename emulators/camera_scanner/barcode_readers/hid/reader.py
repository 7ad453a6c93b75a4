"""What readers on HID have in common: reports instead of bytes."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from typing import TYPE_CHECKING, ClassVar

from emulators.camera_scanner.barcode_readers.emulated.looking import LookingReader

if TYPE_CHECKING:
    from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace
    from emulators.env import Env

_BACKLOG = 1 << 16
"""Reports that wait for a host that does not ask; a further code is not read, as by a reader whose memory is full."""


class HidReader(LookingReader):
    """A HID device without I/O: codes, reports and time in, reports out. It is called by one shell at a time."""

    report_descriptor: ClassVar[bytes]
    boot_keyboard: ClassVar[bool] = False
    """Whether a BIOS may take it for a keyboard (HID 1.11 §4.2)."""
    resting_report: ClassVar[bytes]
    """What it answers to a host that asks for a report out of turn: nothing is pressed, nothing has been read."""
    interval: float = 0.0
    """Seconds from one report to the next, at least."""

    def __init__(self, env: Env, pace: Pace) -> None:
        super().__init__(env, pace)
        self._reports = deque[bytes]()
        self._next_report_at = 0.0

    def take_report(self) -> bytes | None:
        """The next report for the host, with its id in front where it has one; None: there is none yet."""
        now = self.clock.monotonic()
        if not self._reports or now < self._next_report_at:
            return None
        self._next_report_at = now + self.interval
        return self._reports.popleft()

    def next_report(self) -> float | None:
        """When ``take_report`` has one, in monotonic seconds; None: there is none."""
        return self._next_report_at if self._reports else None

    def host_left(self) -> None:
        """No host is there, or it has closed the device: the next one must not read what was for this one."""
        self._reports.clear()

    @abstractmethod
    def receive(self, report: bytes) -> None:
        """An output report of the host, with its id in front where it has one. What makes no sense is ignored."""

    def feature(self, report_id: int) -> bytes | None:
        """A feature report that the host asks for, with its id; None: there is none."""
        del report_id
        return None

    def set_feature(self, report: bytes) -> bool:
        """Take a feature report of the host, with its id; whether there is one of that id and size."""
        del report
        return False

    def _queue(self, reports: list[bytes]) -> None:
        if len(self._reports) + len(reports) <= _BACKLOG:
            self._reports.extend(reports)
