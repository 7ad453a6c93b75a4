"""A token's battery: a lithium cell that holds its voltage for long, then lets go; what it carries goes with it."""

from dataclasses import dataclass
from itertools import pairwise

from emulators.env import Clock
from emulators.hwtoken.memory import PowerLost
from emulators.hwtoken.screens import State

CURVE = ((1.0, 3.0), (0.9, 2.95), (0.5, 2.85), (0.2, 2.7), (0.1, 2.5), (0.05, 2.3), (0.0, 1.9))
"""Charge left, as a part of 1, and the volts of the cell without load. Between two points it is a straight line."""

LOW_VOLTS = 2.6
"""Below this the token warns its user."""
WRITE_VOLTS = 2.4
"""Below this the pulse of a memory write pulls the processor down: a brown-out in the middle of the write."""
DEAD_VOLTS = 2.1
"""Below this nothing works; the clock has stopped, the memory keeps what it has."""

MILLIAMPERES = {State.OFF: 0.002, State.SCANNING: 60.0}
"""What a token draws: dark, only its clock; scanning, its camera too."""
AWAKE_MILLIAMPERES = 4.0


@dataclass(slots=True)
class Battery:
    """One cell. ``capacity`` in milliampere-hours, ``charge`` as a part of 1."""

    capacity: float = 220.0
    charge: float = 1.0

    @property
    def volts(self) -> float:
        """Without load."""
        for (above, high), (below, low) in pairwise(CURVE):
            if self.charge >= below:
                return low + (high - low) * (self.charge - below) / (above - below)
        return CURVE[-1][1]

    @property
    def is_low(self) -> bool:
        """Whether the user is warned."""
        return self.volts < LOW_VOLTS

    @property
    def is_dead(self) -> bool:
        """Whether nothing works any more."""
        return self.volts < DEAD_VOLTS

    @property
    def can_write(self) -> bool:
        """Whether the memory can be written without a brown-out."""
        return self.volts >= WRITE_VOLTS

    def drain(self, seconds: float, state: State) -> None:
        """Let ``seconds`` pass while the token is in ``state``."""
        used = MILLIAMPERES.get(state, AWAKE_MILLIAMPERES) * seconds / 3600
        self.set_charge(self.charge - used / self.capacity)

    def set_charge(self, charge: float) -> None:
        """Put a cell in that has ``charge`` left (0.0 to 1.0; beyond either end is that end)."""
        self.charge = min(1.0, max(0.0, charge))


class PowerSupply:
    """What feeds the token: drains the battery as time passes, and lets the power go in the middle of a write."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._drained_until = clock.monotonic()
        self.battery = Battery()
        self.writes_before_a_cut: int | None = None
        """A fault: the power goes at the memory write after so many more. None: it does not."""

    def drain(self, state: State, dark_from: float | None) -> None:
        """Take what a screen in ``state`` has used since the last time. Late calls are right within that screen.

        Args:
            state: what is up.
            dark_from: when it times out, in monotonic seconds; None where it does not.
        """
        now = self._clock.monotonic()
        until = now if dark_from is None else min(now, max(dark_from, self._drained_until))
        self.battery.drain(until - self._drained_until, state)
        self.battery.drain(now - until, State.OFF)
        self._drained_until = now

    def feed_write(self) -> None:
        """Before each write to the memory: brown out where the battery, or a fault, says so. Raises PowerLost."""
        if self.writes_before_a_cut is not None:
            self.writes_before_a_cut -= 1
            if self.writes_before_a_cut < 0:
                self.writes_before_a_cut = None
                raise PowerLost
        if not self.battery.can_write:
            raise PowerLost
