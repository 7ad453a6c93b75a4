"""Times a subject against its floor in the same run.

A machine's speed drifts and its neighbours are noisy, so an absolute time says little. Subject and floor take turns in
short batches, and each pair gives one ratio; the median of the ratios is what we quote.
"""

import statistics
import time
from collections.abc import Callable, Sequence
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
    clock: Callable[[], float] = time.perf_counter
    """Tells the subject's time, when not all that it does is to be timed."""


@dataclass(frozen=True)
class Measurement:
    """The median ratio of subject to floor, the tenth and the ninetieth percentile, and the median times of one call."""

    name: str
    floor: str
    ratio: float
    target: float
    spread: tuple[float, float]
    subject_us: float
    floor_us: float


def measure(row: Row) -> Measurement:
    """Time ``row``, after one batch of each that does not count."""
    _time(row.subject, row.batch, row.clock)
    _time(row.floor, row.batch)
    pairs = [(_time(row.subject, row.batch, row.clock), _time(row.floor, row.batch)) for _ in range(row.rounds)]
    return summary(row.name, row.floor_name, row.target, pairs)


def summary(name: str, floor: str, target: float, pairs: Sequence[tuple[float, float]]) -> Measurement:
    """What pairs of times, a subject's and its floor's in seconds, say."""
    ratios = sorted(subject / floor for subject, floor in pairs)
    tenth = len(ratios) // 10
    return Measurement(
        name,
        floor,
        statistics.median(ratios),
        target,
        (ratios[tenth], ratios[-1 - tenth]),
        statistics.median(subject for subject, _ in pairs) * 1e6,
        statistics.median(floor for _, floor in pairs) * 1e6,
    )


def _time(call: Callable[[], object], batch: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds per call, averaged over ``batch`` calls."""
    begun = clock()
    for _ in range(batch):
        call()
    return (clock() - begun) / batch
