"""What a device needs from the world: a clock and randomness, real and simulated side by side.

Nothing in ``emulators`` reads the time or draws a random number except through an ``Env``. With ``Env.simulated`` the
same run gives the same bytes, and a ten-second reset window or the year 2106 passes at once.
"""

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Protocol

SIMULATED_START = 1_767_225_600.0
"""Where a simulated clock starts unless told otherwise: 2026-01-01T00:00:00Z, in seconds since 1970."""


class Clock(Protocol):
    """Tells the time."""

    def time(self) -> float:
        """Seconds since 1970-01-01T00:00:00Z; may step when someone sets the clock."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment in the past; never steps back. Time-outs are measured with this one."""
        ...


class Random(Protocol):
    """A source of random bytes."""

    @property
    def test_only(self) -> bool:
        """Whether the bytes can be predicted by anyone who knows a seed."""
        ...

    def token_bytes(self, count: int) -> bytes:
        """``count`` random bytes."""
        ...


class SystemClock:
    """The machine's own clock."""

    def time(self) -> float:
        """Seconds since 1970-01-01T00:00:00Z."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment in the past."""
        return time.monotonic()


class SimulatedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: float = SIMULATED_START) -> None:
        self._time = start
        self._monotonic = 0.0

    def time(self) -> float:
        """Seconds since 1970-01-01T00:00:00Z."""
        return self._time

    def monotonic(self) -> float:
        """Seconds for which the clock has been moved forward."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass.

        Raises:
            ValueError: if ``seconds`` is negative; use ``set_time`` for a clock that is put back.
        """
        if seconds < 0:
            raise ValueError(f"time passes forward only: expected seconds >= 0, found {seconds}")
        self._time += seconds
        self._monotonic += seconds

    def set_time(self, timestamp: float) -> None:
        """Set the wall clock to ``timestamp`` (seconds since 1970), as a user or a drifting crystal does."""
        self._time = timestamp


class SystemRandom:
    """The operating system's random source."""

    test_only = False

    def token_bytes(self, count: int) -> bytes:
        """``count`` bytes that nobody can predict."""
        return secrets.token_bytes(count)


class SeededRandom:
    """The same bytes for the same seed, for repeatable tests. What is made with it protects nothing.

    The stream is SHA-256 over (label, seed, block number): it does not depend on the Python version.
    """

    test_only = True

    def __init__(self, seed: int | str, label: str = "") -> None:
        self._key = hashlib.sha256(f"authrig test-only random\0{label}\0{seed}".encode()).digest()
        self._seed = seed
        self._label = label
        self._block = 0
        self._pool = b""

    def token_bytes(self, count: int) -> bytes:
        """The next ``count`` bytes of the stream."""
        while len(self._pool) < count:
            self._pool += hashlib.sha256(self._key + self._block.to_bytes(8)).digest()
            self._block += 1
        taken, self._pool = self._pool[:count], self._pool[count:]
        return taken

    def fork(self, label: str) -> "SeededRandom":
        """An independent stream named ``label``, so that one device's draws never shift another's."""
        return SeededRandom(self._seed, f"{self._label}/{label}")


@dataclass(frozen=True, slots=True)
class Env:
    """The world as one device sees it."""

    clock: Clock
    random: Random

    @classmethod
    def real(cls) -> "Env":
        """The machine's clock and random source."""
        return cls(SystemClock(), SystemRandom())

    @classmethod
    def simulated(cls, seed: int | str, start: float = SIMULATED_START) -> "Env":
        """A clock that stands at ``start`` (seconds since 1970) and randomness from ``seed``; for tests only."""
        return cls(SimulatedClock(start), SeededRandom(seed))

    @property
    def test_only(self) -> bool:
        """Whether secrets made in this world are predictable and must be marked as such."""
        return self.random.test_only
