"""What every device of a bench is put together with."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from authrig.attached.hands import Hands
from authrig.attached.person import Person
from authrig.bench.clock import RigClock
from authrig.evidence.recorder import Exhibit
from authrig.rig_file.entries import RigFile
from emulators.env import Env, SeededRandom


@dataclass(frozen=True, slots=True)
class Tools:
    """The rig file, where randomness and exhibits go, who acts, a folder for scratch, the clock, and what to close at the end."""

    rig_file: RigFile
    random: SeededRandom
    on_exhibit: Callable[[Exhibit], None]
    person: Person
    hands: Hands
    folder: Path
    clock: RigClock
    opened: ExitStack

    def stream(self, seed: int | None, name: str) -> SeededRandom:
        """Randomness of the device ``name``: from its own seed where the rig file gives one, else from the rig's."""
        return (self.random if seed is None else SeededRandom(seed)).fork(name)

    def env(self, seed: int | None, name: str) -> Env:
        """The world of an emulated device: the rig's clock, and randomness that is its own."""
        return Env(self.clock, self.stream(seed, name))
