"""The clock of a rig: this machine's, which a test can set forward for all that is emulated."""

import threading
import time

from emulators.env import SIMULATED_START


class RigClock:
    """This machine's clock, ahead by what ``advance`` has added. Attached devices have clocks of their own."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._stands_still = False
        self._lock = threading.Lock()

    def stand_still(self) -> None:
        """From now on let time pass by ``advance`` only, beginning with 2026: two runs then read the same times."""
        self._stands_still = True

    def time(self) -> float:
        """Seconds since 1970-01-01T00:00:00Z."""
        return (SIMULATED_START if self._stands_still else time.time()) + self._ahead

    def monotonic(self) -> float:
        """Seconds since some moment in the past."""
        return (0.0 if self._stands_still else time.monotonic()) + self._ahead

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once, for emulated devices and the rig's own server.

        Raises:
            ValueError: if ``seconds`` is negative.
        """
        if seconds < 0:
            raise ValueError(f"time passes forward only: expected seconds >= 0, found {seconds}")
        with self._lock:
            self._ahead += seconds
