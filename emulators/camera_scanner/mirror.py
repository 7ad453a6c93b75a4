"""Tells a code that is seen in a mirror from one that is not, by its format information.

A reader that tries both does not say which it was. Both readings have the same outline and the same finder patterns;
the fifteen bits of the format information stand in another order (ISO/IEC 18004, 7.9.1).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emulators.camera_scanner.frames import Image

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
"""(row, column) of the bits from the highest to the lowest, around the first finder pattern."""

_STRAIGHT = np.array(_PLACES, np.float32)[:, ::-1] + 0.5
_BOTH_WAYS = np.concatenate([_STRAIGHT, _STRAIGHT[:, ::-1]])[None]


def is_mirrored(image: Image, corners: object, version: int, level: str, mask: int) -> bool:
    """Whether the code with these ``corners`` fits its format information better when its diagonal is the mirror.

    Args:
        image: the picture.
        corners: the first is the symbol's own; the others follow clockwise in the picture.
        version: 1 to 40.
        level: "L", "M", "Q" or "H".
        mask: 0 to 7.
    """
    modules = 17 + 4 * version
    square = np.array([(0, 0), (modules, 0), (modules, modules), (0, modules)], np.float32)
    to_picture = cv2.getPerspectiveTransform(square, np.array(corners, np.float32))
    across, down = cv2.perspectiveTransform(_BOTH_WAYS, to_picture)[0].T.astype(np.intp)
    # Green has most of the light, and taking it costs nothing.
    channels = 1 if image.ndim == 2 else 3
    values = image.reshape(-1).take((down * image.shape[1] + across) * channels + channels // 3, mode="clip")
    as_seen, through_the_mirror = np.abs(values.astype(np.float32).reshape(2, 15) @ _signs(level, mask))
    return bool(through_the_mirror > as_seen)


@functools.lru_cache(maxsize=32)
def _signs(level: str, mask: int) -> NDArray[np.float32]:
    """The fifteen bits, highest first: below 0 for a dark module, above for a light one, 0 on average.

    Inverted codes fit as well as others, since only the size of the fit counts.
    """
    data = _LEVELS[level] << 3 | mask
    rest = data << 10
    for bit in range(14, 9, -1):
        if rest >> bit & 1:
            rest ^= _GENERATOR << bit - 10
    word = (data << 10 | rest) ^ _MASK
    signs = np.array([-1 if word >> bit & 1 else 1 for bit in range(14, -1, -1)], np.float32)
    return np.asarray(signs - signs.mean(), np.float32)
