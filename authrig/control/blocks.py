"""A panel of dots as characters: a half block for each two dots, or a Braille cell for each eight where room is short."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HALVES = " ▀▄█"
_BRAILLE = 0x2800
_CELL = ((0, 3), (1, 4), (2, 5), (6, 7))
"""The bit of each dot of a Braille cell, by row and column (Unicode 15, §21.1)."""


def in_characters(dots: NDArray[np.bool_], columns: int, rows: int) -> list[str]:
    """``dots`` (height, width; True is dark) in ``rows`` lines of ``columns`` characters at most, where that is possible.

    Half blocks, one column for each dot, if there is room for them; else Braille, one for two.
    """
    height, width = dots.shape
    return _half_blocks(dots) if width <= columns and height <= 2 * rows else _braille(dots)


def _half_blocks(dots: NDArray[np.bool_]) -> list[str]:
    padded = np.pad(dots, ((0, dots.shape[0] % 2), (0, 0)))
    codes = padded[0::2] + 2 * padded[1::2]
    return ["".join(_HALVES[code] for code in row) for row in codes]


def _braille(dots: NDArray[np.bool_]) -> list[str]:
    padded = np.pad(dots, ((0, -dots.shape[0] % 4), (0, -dots.shape[1] % 2)))
    codes = sum(
        padded[row::4, column::2].astype(np.int32) << bit
        for row, bits in enumerate(_CELL)
        for column, bit in enumerate(bits)
    )
    return ["".join(chr(_BRAILLE + code) for code in row) for row in np.asarray(codes)]
