from collections.abc import Callable

import numpy as np
import pytest
import segno

from emulators.camera_scanner.frames import Image

Draw = Callable[..., Image]


def draw_code(data: bytes | str, scale: int = 5, error: str = "m", border: int = 4) -> Image:
    """A QR code as a gray picture, ``scale`` pixels a module; never a Micro QR, and bytes never taken for Kanji."""
    mode = "byte" if isinstance(data, bytes) else None
    modules = segno.make(data, error=error, mode=mode, micro=False).matrix_iter(scale=scale, border=border)
    return np.where(np.array([list(row) for row in modules], np.uint8), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Draws codes."""
    return draw_code
