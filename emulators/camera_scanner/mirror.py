"""Tells a code that is seen in a mirror from one that is not, by its format information.

A reader that tries both does not say which it was. Both readings have the same outline and the same finder patterns;
the fifteen bits of the format information stand in another order (ISO/IEC 18004, 7.9.1).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Corners, Image

_LEVELS = {"L": 1, "M": 0, "Q": 3, "H": 2}
_GENERATOR, _MASK = 0x537, 0x5412
_PLACES = (
    (8, 0),
    (8, 1),
    (8, 2),
    (8, 3),
    (8, 4),
    (8, 5),
    (8, 7),
    (8, 8),
    (7, 8),
    (5, 8),
    (4, 8),
    (3, 8),
    (2, 8),
    (1, 8),
    (0, 8),
)
"""(row, column) of the bits from the highest to the lowest, around the first finder pattern. In a mirror, rows are columns:
the same places, from the lowest bit to the highest."""


def is_mirrored(image: Image, corners: Corners, version: int, level: str, mask: int) -> bool:
    """Whether the code with these ``corners`` fits its format information better when its diagonal is the mirror.

    It takes a dozen microseconds without numpy, which would take longer to find its way for fifteen numbers.

    Args:
        image: the picture, gray.
        corners: the first is the symbol's own; the others follow clockwise in the picture.
        version: 1 to 40.
        level: "L", "M", "Q" or "H".
        mask: 0 to 7.
    """
    # The homography from the unit square to the corners (Heckbert 1989, 2.2.3).
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    ax, ay, bx, by = x1 - x2, y1 - y2, x3 - x2, y3 - y2
    cx, cy = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    bulge = ax * by - bx * ay
    if bulge == 0:
        return False
    g, h = (cx * by - bx * cy) / bulge, (ax * cy - cx * ay) / bulge
    along_x, along_y, down_x, down_y = x1 - x0 + g * x1, y1 - y0 + g * y1, x3 - x0 + h * x3, y3 - y0 + h * y3
    modules = 17 + 4 * version
    right, bottom = image.shape[1] - 1, image.shape[0] - 1
    value = image.item
    straight = through_the_mirror = 0.0
    for (row, column), sign, mirrored in zip(_PLACES, *_signs(level, mask), strict=True):
        u, v = (column + 0.5) / modules, (row + 0.5) / modules
        depth = g * u + h * v + 1
        if depth <= 0:
            return False
        x, y = (along_x * u + down_x * v + x0) / depth, (along_y * u + down_y * v + y0) / depth
        level_here = value(min(max(int(y), 0), bottom), min(max(int(x), 0), right))
        straight += sign * level_here
        through_the_mirror += mirrored * level_here
    return abs(through_the_mirror) > abs(straight)


@functools.lru_cache(maxsize=32)
def _signs(level: str, mask: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The fifteen bits, highest first, and lowest first: below 0 for a dark module, above for a light one, 0 on average.

    Inverted codes fit as well as others, since only the size of the fit counts.
    """
    data = _LEVELS[level] << 3 | mask
    rest = data << 10
    for bit in range(14, 9, -1):
        if rest >> bit & 1:
            rest ^= _GENERATOR << bit - 10
    word = (data << 10 | rest) ^ _MASK
    signs = [-1.0 if word >> bit & 1 else 1.0 for bit in range(14, -1, -1)]
    mean = sum(signs) / len(signs)
    centred = tuple(sign - mean for sign in signs)
    return centred, centred[::-1]
