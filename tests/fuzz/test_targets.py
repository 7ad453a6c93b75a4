import pytest

from fuzz.seeds import SEEDS
from fuzz.targets import TARGETS


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_the_seeds_break_nothing(name: str) -> None:
    """What must hold for any input holds for what real hosts send, whole and cut short."""
    for seed in SEEDS[name]():
        TARGETS[name](seed)
        TARGETS[name](seed[: len(seed) // 2])


def test_every_target_has_seeds() -> None:
    """A fuzzer without seeds would spend its minute guessing the first byte."""
    assert set(SEEDS) == set(TARGETS)
    assert all(SEEDS[name]() for name in TARGETS)
