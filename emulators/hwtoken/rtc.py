"""The token's own clock: a crystal that drifts, a register that ends, and a battery that may have let go of it."""

from emulators.env import Clock
from emulators.hwtoken.contents import Rtc
from emulators.hwtoken.memory import TokenMemory

PPM = 1e-6


class TokenClock:
    """Seconds since 1970 by the token.

    Args:
        world: the right time.
        memory: keeps when the clock was set, and to what.
        present: False for a model without a clock.
    """

    def __init__(self, world: Clock, memory: TokenMemory, *, present: bool) -> None:
        self._world = world
        self._memory = memory
        self._present = present
        self._lost = False
        self.drift_ppm = 0.0
        """How much too fast the crystal runs, in parts per million: 20 ppm are 1.7 seconds a day."""
        self.bits: int | None = None
        """Bits of its register, after which it begins again at 1970; 31 ends in 2038, 32 in 2106. None: it never ends."""

    def now(self) -> float | None:
        """The time, never before 1970; None where there is no clock or it has been lost."""
        if not self._present or self._lost:
            return None
        world = self._world.time()
        rtc = self._memory.contents.rtc or Rtc(world, world)
        elapsed = world - rtc.set_at
        value = max(0.0, rtc.value + elapsed * (1 + self.drift_ppm * PPM))
        return value if self.bits is None else value % 2**self.bits

    def setting(self, value: float) -> dict[str, Rtc]:
        """The change to the memory that sets the clock to ``value``. Call ``found`` once it is kept."""
        return {"rtc": Rtc(float(value), self._world.time())}

    def jump(self, seconds: float) -> None:
        """Let the clock be wrong by ``seconds`` from now on. Raises MemoryFault."""
        now = self.now()
        if now is not None:
            self._memory.update(**self.setting(now + seconds))

    def drift(self, ppm: float) -> None:
        """Let the crystal run ``ppm`` too fast from now on, and not before. Raises MemoryFault."""
        now = self.now()
        if now is not None:
            self._memory.update(**self.setting(now))
        self.drift_ppm = ppm

    def lose(self) -> None:
        """Forget the time, as when the backup battery ends."""
        self._lost = True

    def found(self) -> None:
        """It was set: the time is known again."""
        self._lost = False
