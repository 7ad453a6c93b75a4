"""The personalities by the names that profiles use."""

from collections.abc import Callable, Mapping

from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities.base import Personality
from emulators.hwtoken.personalities.otq1 import Otq1Personality

PERSONALITIES: Mapping[str, Callable[[Parts], Personality]] = {"otq1": Otq1Personality}


def personalities_of(parts: Parts) -> tuple[Personality, ...]:
    """Those of the model, each with the keys that are in the memory now."""
    return tuple(PERSONALITIES[name](parts) for name in parts.profile.personalities)
