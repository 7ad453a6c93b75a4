"""What of the device a personality may use: memory, clock, randomness, and the model's profile."""

from dataclasses import dataclass, field

from emulators.env import Random
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.network import Radio
from emulators.hwtoken.profile import Profile
from emulators.hwtoken.rtc import TokenClock


@dataclass(frozen=True, slots=True)
class Parts:
    """The hardware below the protocols."""

    memory: TokenMemory
    clock: TokenClock
    random: Random
    profile: Profile
    radio: Radio = field(default_factory=Radio)
