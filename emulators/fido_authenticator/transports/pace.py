"""How fast reports go to a kernel."""

from emulators.env import Clock, SystemClock


class Pace:
    """Lets ``burst`` reports pass at once, and then one every ``interval`` seconds of the machine's clock.

    A kernel keeps 64 reports for each program that has the node open, and drops what comes on top. A key on a real
    cable is too slow for that: full speed carries one report a millisecond.
    """

    def __init__(self, burst: int = 32, interval: float = 0.001, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._burst, self._interval = float(burst), interval
        self._allowed = self._burst
        self._at: float | None = None
        """Since when time has counted; None: not yet."""

    def take(self) -> bool:
        """Whether one more report may go now."""
        if self._allowed == self._burst:
            # The one report that answers a question: no need to look at the clock. From the next on, time counts.
            self._allowed -= 1.0
            self._at = None
            return True
        now = self._clock.monotonic()
        if self._at is not None:
            self._allowed = min(self._burst, self._allowed + (now - self._at) / self._interval)
        self._at = now
        if self._allowed < 1.0:
            return False
        self._allowed -= 1.0
        return True

    def refill(self) -> None:
        """A host has spoken after all was sent: it has read, and another burst may go.

        One that has the node open too but does not read loses reports at any pace.
        """
        self._allowed = self._burst

    def wait(self) -> float:
        """Seconds until the next may go, after ``take`` has said no."""
        return max(0.0, 1.0 - self._allowed) * self._interval
