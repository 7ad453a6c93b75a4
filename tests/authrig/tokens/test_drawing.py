import unicodedata

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from authrig.tokens.drawing import braille, draw_dots, half_blocks

SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32))


@given(SIZES)
def test_each_dot_is_in_its_place(size: tuple[int, int, int]) -> None:
    """Read back from either drawing, the panel is what it was."""
    height, width, seed = size
    dots = np.random.default_rng(seed).integers(0, 2, (height, width), np.uint8)
    blocks = np.array([list(line) for line in half_blocks(dots)])
    above, below = np.isin(blocks, ["▀", "█"]), np.isin(blocks, ["▄", "█"])
    assert (np.stack([above, below], 1).reshape(-1, width)[:height] == dots).all()
    for y, line in enumerate(braille(dots)):
        for x, character in enumerate(line):
            name = unicodedata.name(character, "")
            raised = set(name.partition("DOTS-")[2]) if "DOTS-" in name else set()
            cell = dots[4 * y : 4 * y + 4, 2 * x : 2 * x + 2]
            expected = {
                number
                for number, (row, column) in zip(
                    "12345678", [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 0), (3, 1)], strict=True
                )
                if row < cell.shape[0] and column < cell.shape[1] and cell[row, column]
            }
            assert raised == expected


def test_the_largest_drawing_that_fits_is_taken() -> None:
    """Two dots in a character, eight, or none at all."""
    dots = np.zeros((64, 128), np.uint8)
    assert [len(lines or []) for lines in (draw_dots(dots, 128, 32), draw_dots(dots, 127, 32))] == [32, 16]
    assert draw_dots(dots, 63, 40) is None
    assert draw_dots(dots, 200, 15) is None
