"""Records what a flow did: its steps, each with what was expected and found, and the pictures and traffic of each."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from authrig.errors import Deviation


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG that belongs to a step."""

    caption: str
    png: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Decoded wire traffic that belongs to a step, one line each."""

    caption: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that passed between the rig and a device: what the event log has a line of.

    ``layer`` is ``ctaphid``, ``picture``, ``key``, ``power``, ``screen``, ``console`` or ``scan``; ``direction`` is
    ``to_device`` or ``from_device``; ``data`` has the bytes where there are any, and ``decoded`` what they say.
    """

    layer: str
    device: str
    direction: str
    data: bytes
    decoded: dict[str, Any]


Exhibit = Picture | Traffic | Event


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at.

    ``evil`` marks a step in which somebody attacks and must be refused. ``seconds`` is the time since the step before.
    """

    name: str
    expected: str
    found: str
    evil: bool
    seconds: float
    exhibits: tuple[Picture | Traffic, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the step found what it expected."""
        return self.expected == self.found


class Recorder:
    """The record of one flow. Exhibits gather until the next step is recorded, and then belong to it.

    Args:
        on_step: called with each step.
        monotonic: the clock by which steps and events are timed.
    """

    def __init__(
        self, *, on_step: Callable[[Step], None] | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.steps: list[Step] = []
        self.timeline: list[tuple[float, Exhibit]] = []
        """Exhibits and events, each with the seconds since the record began."""
        self._exhibits: list[Picture | Traffic] = []
        self._on_step = on_step
        self._monotonic = monotonic
        self._since = self._began = monotonic()

    def exhibit(self, exhibit: Exhibit) -> None:
        """Keep ``exhibit`` for the step that is under way; an event goes to the log."""
        self.timeline.append((self._monotonic() - self._began, exhibit))
        if not isinstance(exhibit, Event):
            self._exhibits.append(exhibit)

    def expect(self, name: str, expected: object, found: object, *, evil: bool = False) -> None:
        """Record the step ``name``; what is no text is on record as Python shows it.

        Raises:
            Deviation: if ``found`` is not ``expected``; the step is on record before that.
        """
        now = self._monotonic()
        step = Step(name, *_as_texts(expected, found), evil, now - self._since, tuple(self._exhibits))
        self._exhibits.clear()
        self._since = now
        self.steps.append(step)
        if self._on_step is not None:
            self._on_step(step)
        if not step.passed:
            raise Deviation(name, step.expected, step.found)


def _as_texts(expected: object, found: object) -> tuple[str, str]:
    """Both as texts, which are alike exactly if they are equal."""
    if isinstance(expected, str) and isinstance(found, str):
        return expected, found
    one, other = repr(expected), repr(found)
    if expected == found:
        return one, one
    return one, other if other != one else f"{other}, which is not equal"
