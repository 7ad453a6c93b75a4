"""Times a subject against its floor in the same run.

A machine's speed drifts and its neighbours are noisy, so an absolute time says little. Subject and floor take turns in
short batches, and each pair gives one ratio; the median of the ratios is what we quote.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Something we promise to do at most ``target`` times as slowly as its floor.

    ``batch`` is how many calls are timed together, so that one timing is well above the clock's resolution.
    """

    name: str
    floor_name: str
    subject: Callable[[], object]
    floor: Callable[[], object]
    target: float
    batch: int = 1
    rounds: int = 30


@dataclass(frozen=True)
class Measurement:
    """The ratios subject / floor of all rounds, and the median time of one call, in microseconds."""

    row: Row
    ratios: tuple[float, ...]
    subject_us: float
    floor_us: float

    @property
    def ratio(self) -> float:
        """The median ratio."""
        return statistics.median(self.ratios)


def measure(row: Row) -> Measurement:
    """Time ``row``, after one batch of each that does not count."""
    _time(row.subject, row.batch)
    _time(row.floor, row.batch)
    pairs = [(_time(row.subject, row.batch), _time(row.floor, row.batch)) for _ in range(row.rounds)]
    return Measurement(
        row,
        tuple(subject / floor for subject, floor in pairs),
        statistics.median(subject for subject, _ in pairs) * 1e6,
        statistics.median(floor for _, floor in pairs) * 1e6,
    )


def _time(call: Callable[[], object], batch: int) -> float:
    """Seconds per call, averaged over ``batch`` calls."""
    begun = time.perf_counter()
    for _ in range(batch):
        call()
    return (time.perf_counter() - begun) / batch
