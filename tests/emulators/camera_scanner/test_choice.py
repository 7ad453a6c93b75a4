import pytest

from emulators.camera_scanner.choice import CHOICES
from emulators.camera_scanner.decoders import Read

SHAPE = (480, 640, 3)


def read(data: bytes, left: float, top: float, side: float) -> Read:
    """A code that stands upright."""
    right, bottom = left + side, top + side
    return Read(
        data, "]Q1", 1, "M", ((left, top), (right, top), (right, bottom), (left, bottom)), "test", "direct", 1.0
    )


SMALL, LARGE, AIMED = read(b"small", 0, 0, 50), read(b"large", 20, 200, 200), read(b"aimed", 280, 200, 80)


@pytest.mark.parametrize(
    ("rule", "chosen"),
    [("all", (SMALL, LARGE, AIMED)), ("alone", ()), ("middle", (AIMED,)), ("largest", (LARGE,))],
)
def test_a_rule_chooses_among_several_codes(rule: str, chosen: tuple[Read, ...]) -> None:
    """And every rule takes the only one, and nothing from nothing."""
    assert CHOICES[rule]((SMALL, LARGE, AIMED), SHAPE) == chosen
    assert CHOICES[rule]((SMALL,), SHAPE) == (SMALL,)
    assert CHOICES[rule]((), SHAPE) == ()


def test_the_same_code_twice_is_a_code_alone() -> None:
    """A badge with one on each side leaves no doubt."""
    assert len(CHOICES["alone"]((SMALL, read(b"small", 300, 0, 50)), SHAPE)) == 2
