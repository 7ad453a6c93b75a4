"""What emulated readers of every kind have in common: an eye, a button, and what they have read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace, Trigger

if TYPE_CHECKING:
    from emulators.env import Clock, Env


class SeenCode(Protocol):
    """What is needed of a code that is shown: ``Code`` has it, and so has ``decoders.Read``."""

    @property
    def data(self) -> bytes:
        """Its bytes."""
        ...

    @property
    def symbology(self) -> str:
        """Its AIM identifier."""
        ...


@dataclass(frozen=True, slots=True)
class GoodRead:
    """A code was read and sent: where a real reader beeps."""

    code: Code
    time: float
    """Monotonic seconds of the reader's clock."""


class LookingReader(ABC):
    """A reader without I/O, up to what it does with a read."""

    def __init__(self, env: Env, pace: Pace) -> None:
        self.clock: Clock = env.clock
        self._trigger = Trigger(env.clock, pace)
        self._reads: list[GoodRead] = []

    @abstractmethod
    def _report(self, code: Code) -> None:
        """Tell the host of a read."""

    def show(self, code: SeenCode | None) -> None:
        """Hold ``code`` before the reader until another one or None is shown."""
        self._trigger.show(None if code is None else Code(code.data, code.symbology))
        self.poll()

    def press(self) -> None:
        """Press the reader's button."""
        self._trigger.start(by_host=False)
        self.poll()

    def release(self) -> None:
        """Let go of the button."""
        self._trigger.stop()

    def take_reads(self) -> tuple[GoodRead, ...]:
        """The good reads since this was last asked."""
        reads, self._reads = tuple(self._reads), []
        return reads

    def poll(self) -> None:
        """Do what is due by the clock."""
        code = self._trigger.poll()
        if code is not None:
            self._reads.append(GoodRead(code, self.clock.monotonic()))
            self._report(code)

    def next_deadline(self) -> float | None:
        """When ``poll`` has something to do although nothing happens, in monotonic seconds."""
        return self._trigger.next_deadline()
