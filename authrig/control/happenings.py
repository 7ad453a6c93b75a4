"""What happens on the bench, in order, for anybody who listens: kept for a while, and never waited for."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

KEPT = 2000
"""How many are kept for those who come late or read slowly."""
LONGEST_TEXT = 4096

Kind = Literal["ctap", "screen", "read", "touch", "power", "press", "picture", "trouble"]


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: ``number`` counts from 1, ``time`` is in seconds since 1970."""

    number: int
    time: float
    device: str
    kind: Kind
    text: str


class Happenings:
    """The last ``kept`` of them. Every method may be called from any thread; nobody who listens can hold up a device."""

    def __init__(self, kept: int = KEPT) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Happening] = deque(maxlen=kept)
        self._last = 0
        self._wakers: list[Callable[[], object]] = []
        self.closed = False
        """Whether nothing will happen any more."""

    @property
    def last(self) -> int:
        """The number of the last one; 0 before the first."""
        return self._last

    @property
    def gone(self) -> int:
        """The number of the last one that is no longer kept; 0 while all are."""
        with self._lock:
            return self._last - len(self._kept)

    def add(self, device: str, kind: Kind, text: str) -> None:
        """Something happened now."""
        with self._lock:
            self._last += 1
            self._kept.append(Happening(self._last, time.time(), device, kind, text[:LONGEST_TEXT]))
            wakers = tuple(self._wakers)
        for wake in wakers:
            wake()

    def after(self, number: int) -> tuple[Sequence[Happening], int]:
        """Those after ``number``, and how many more there were that are no longer kept."""
        with self._lock:
            skipped = max(0, self._last - len(self._kept) - number)
            return [each for each in self._kept if each.number > number], skipped

    def listen(self, wake: Callable[[], object]) -> None:
        """Have ``wake`` called, from any thread, after each one; it must not wait."""
        with self._lock:
            self._wakers.append(wake)

    def unlisten(self, wake: Callable[[], object]) -> None:
        """No longer call ``wake``."""
        with self._lock:
            self._wakers.remove(wake)

    def close(self) -> None:
        """Nothing happens any more; who listens is told."""
        with self._lock:
            self.closed = True
            wakers = tuple(self._wakers)
        for wake in wakers:
            wake()
