"""What age and falls do to a display."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Defects:
    """What is wrong with one display. Only what is seen changes: the token itself knows nothing of it."""

    burnt_rows: frozenset[int] = frozenset()
    """Rows of dots that stay dark."""
    dead_columns: frozenset[int] = frozenset()
    """Columns of dots that stay clear."""
    stuck_segments: dict[tuple[int, int], bool] = field(default_factory=dict)
    """Segments, as (digit, segment a=0 to g=6) from the left, that are always on (True) or off."""
    contrast: float = 1.0
    """1.0 is new, 0.0 cannot be read at all."""

    def spoil(self, dots: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
        """``dots`` as this panel shows them. Rows and columns that it does not have do not matter."""
        spoilt = dots.copy()
        height, width = dots.shape
        spoilt[[row for row in self.burnt_rows if 0 <= row < height]] = 1
        spoilt[:, [column for column in self.dead_columns if 0 <= column < width]] = 0
        return spoilt


NONE = Defects()
"""A new display."""
