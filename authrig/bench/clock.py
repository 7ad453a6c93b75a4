"""The clock of a rig, which emulated devices and the rig's own server go by. Attached devices have clocks of their own."""

import threading
import time
from typing import Protocol

from emulators.env import SimulatedClock


class RigClock(Protocol):
    """Tells the time, and lets it pass at once."""

    def time(self) -> float:
        """Seconds since 1970-01-01T00:00:00Z."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment in the past."""
        ...

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once, for emulated devices and the rig's own server.

        Raises:
            ValueError: if ``seconds`` is negative.
        """
        ...


class MachineClock:
    """This machine's clock, ahead by what ``advance`` has added."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._lock = threading.Lock()

    def time(self) -> float:
        """Seconds since 1970-01-01T00:00:00Z."""
        return time.time() + self._ahead

    def monotonic(self) -> float:
        """Seconds since some moment in the past."""
        return time.monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once.

        Raises:
            ValueError: if ``seconds`` is negative.
        """
        if seconds < 0:
            raise ValueError(f"time passes forward only: expected seconds >= 0, found {seconds}")
        with self._lock:
            self._ahead += seconds


class StandingClock(SimulatedClock):
    """Stands at the beginning of 2026 until somebody lets time pass, or waits for a key: two runs read the same times."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once; from any thread.

        Raises:
            ValueError: if ``seconds`` is negative.
        """
        with self._lock:
            super().advance(seconds)
