"""A panel's dots as characters of a terminal."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

HALF_BLOCKS = np.array([" ", "▀", "▄", "█"])
"""By the dot above (1) and the dot below (2)."""
_BRAILLE_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""What each of 2x4 dots adds to U+2800 (Unicode 15, 8-dot Braille)."""


def draw_dots(dots: "NDArray[np.uint8]", columns: int, rows: int) -> list[str] | None:
    """``dots`` (height, width; 1 is dark) as lines that fit ``columns`` and ``rows``: two dots in a character, or eight.

    None where neither fits.
    """
    height, width = dots.shape
    if width <= columns and -(-height // 2) <= rows:
        return half_blocks(dots)
    if -(-width // 2) <= columns and -(-height // 4) <= rows:
        return braille(dots)
    return None


def half_blocks(dots: "NDArray[np.uint8]") -> list[str]:
    """A character for each pair of dots one above the other."""
    whole = _padded(dots, 2, 1)
    return ["".join(line) for line in HALF_BLOCKS[whole[0::2] + 2 * whole[1::2]]]


def braille(dots: "NDArray[np.uint8]") -> list[str]:
    """A character for each two columns of four dots."""
    whole = _padded(dots, 4, 2)
    height, width = whole.shape
    cells = whole.reshape(height // 4, 4, width // 2, 2).astype(int)
    codes = 0x2800 + np.einsum("yixj,ij->yx", cells, _BRAILLE_BITS)
    return ["".join(map(chr, line)) for line in codes]


def _padded(dots: "NDArray[np.uint8]", tall: int, wide: int) -> "NDArray[np.uint8]":
    """With clear dots at the bottom and the right, so that characters cover it."""
    height, width = dots.shape
    return np.pad(dots, ((0, -height % tall), (0, -width % wide)))
