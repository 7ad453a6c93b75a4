"""Which of several codes in view a scanner reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from emulators.camera_scanner.decoders import Read

Choose: TypeAlias = "Callable[[tuple[Read, ...], tuple[int, ...]], tuple[Read, ...]]"
"""From the reads of a picture, and the picture's shape, the reads that count."""


def every_code(reads: tuple[Read, ...], _shape: tuple[int, ...]) -> tuple[Read, ...]:
    """All of them."""
    return reads


def a_code_alone(reads: tuple[Read, ...], _shape: tuple[int, ...]) -> tuple[Read, ...]:
    """The only one; none when there are several and it is not certain which is meant."""
    return reads if len({read.data for read in reads}) == 1 else ()


def nearest_the_middle(reads: tuple[Read, ...], shape: tuple[int, ...]) -> tuple[Read, ...]:
    """The one at which the camera is aimed."""
    middle = shape[1] / 2, shape[0] / 2
    return _first(reads, lambda read: sum((at - to) ** 2 for at, to in zip(_centre(read), middle, strict=True)))


def largest(reads: tuple[Read, ...], _shape: tuple[int, ...]) -> tuple[Read, ...]:
    """The one that fills most of the picture."""
    return _first(reads, lambda read: -_area(read))


CHOICES: dict[str, Choose] = {
    "all": every_code,
    "alone": a_code_alone,
    "middle": nearest_the_middle,
    "largest": largest,
}
"""By the names that the command line has for them."""


def _first(reads: tuple[Read, ...], key: Callable[[Read], float]) -> tuple[Read, ...]:
    return tuple(sorted(reads, key=key)[:1])


def _centre(read: Read) -> tuple[float, float]:
    return sum(x for x, _ in read.corners) / 4, sum(y for _, y in read.corners) / 4


def _area(read: Read) -> float:
    """By the shoelace formula."""
    turned = (*read.corners[1:], read.corners[0])
    return abs(sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in zip(read.corners, turned, strict=True))) / 2
