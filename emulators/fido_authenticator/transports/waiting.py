"""How a shell lets time pass until the key has something to do."""

import threading

from emulators.env import Clock, SimulatedClock


class Waiting:
    """A condition that sleeps on the machine's clock, and moves a simulated clock forward instead of sleeping.

    Used as a context manager it is the lock of whatever is shared; ``until`` must be called with the lock held.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._condition = threading.Condition()

    def __enter__(self) -> None:
        self._condition.acquire()

    def __exit__(self, *exception: object) -> None:
        self._condition.release()

    def wake(self) -> None:
        """Something has changed; may be called from any thread."""
        with self._condition:
            self._condition.notify_all()

    def until(self, deadline: float | None) -> None:
        """Return at ``deadline`` (monotonic seconds of the clock), when woken, or sometimes for no reason.

        Without a deadline it takes a wake-up from another thread to return.
        """
        pause = None if deadline is None else max(0.0, deadline - self._clock.monotonic())
        if pause is not None and isinstance(self._clock, SimulatedClock):
            self._clock.advance(pause)
        else:
            self._condition.wait(pause)
