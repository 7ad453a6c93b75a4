"""The personalities by the names that profiles use."""

from collections.abc import Callable, Mapping

from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities.base import Personality
from emulators.hwtoken.personalities.lseqr import LseqrPersonality
from emulators.hwtoken.personalities.ocra_keypad import OcraKeypadPersonality
from emulators.hwtoken.personalities.otp import OtpPersonality
from emulators.hwtoken.personalities.otq1 import Otq1Personality
from emulators.hwtoken.personalities.powerauth import PowerAuthPersonality
from emulators.hwtoken.personalities.tiqr import TiqrPersonality

PERSONALITIES: Mapping[str, Callable[[Parts], Personality]] = {
    "otq1": Otq1Personality,
    "tiqr": TiqrPersonality,
    "lseqr": LseqrPersonality,
    "powerauth": PowerAuthPersonality,
    "otp": OtpPersonality,
    "ocra_keypad": OcraKeypadPersonality,
}


def personalities_of(parts: Parts) -> tuple[Personality, ...]:
    """Those of the model, each with the keys that are in the memory now."""
    return tuple(PERSONALITIES[name](parts) for name in parts.profile.personalities)
