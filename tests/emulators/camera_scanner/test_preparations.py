from collections.abc import Callable

import cv2
import numpy as np
import pytest

from emulators.camera_scanner import optics
from emulators.camera_scanner.frames import Image
from emulators.camera_scanner.preparations import (
    THOROUGH,
    Preparation,
    normalise,
    preparations,
    shrink,
    to_gray,
)

DARK = np.arange(64, dtype=np.uint8).reshape(8, 8)
EVERY = (*preparations(DARK), *THOROUGH)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (7, 1), (33, 47)])
@pytest.mark.parametrize("preparation", EVERY, ids=lambda preparation: str(preparation.stage))
def test_any_gray_picture_can_be_prepared(preparation: Preparation, shape: tuple[int, int]) -> None:
    """The result is a gray picture of the size that the preparation announces, and the original is untouched."""
    gray = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    before = gray.copy()
    prepared = preparation.prepare(gray)
    assert prepared.dtype == np.uint8
    assert prepared.shape == tuple(max(1, int(side / preparation.scale)) for side in shape)
    assert np.array_equal(gray, before)


def test_normalising_uses_all_levels() -> None:
    """From black to white, in order, whatever the levels were; a flat picture stays flat."""
    narrow = np.arange(40, 60, dtype=np.uint8).reshape(4, 5)
    stretched = normalise(narrow)
    assert (stretched.min(), stretched.max()) == (0, 255)
    assert np.array_equal(np.argsort(stretched, axis=None), np.argsort(narrow, axis=None))
    assert np.ptp(normalise(np.full((4, 4), 77, np.uint8))) == 0


def test_gray_is_luminance() -> None:
    """Green is brighter than red, red than blue: a printed code in blue on white can be read."""
    blue, green, red = (int(to_gray(np.array([[colour]], np.uint8))[0, 0]) for colour in np.eye(3) * 255)
    assert blue < red < green


def test_only_large_pictures_are_shrunk() -> None:
    """And it is said by how much."""
    small, large = np.zeros((10, 20), np.uint8), np.zeros((100, 400), np.uint8)
    assert shrink(small, 20) == (small, 1.0)
    shrunk, scale = shrink(large, 100)
    assert (shrunk.shape, scale) == ((25, 100), 4.0)
    assert shrink(np.zeros((1, 900), np.uint8), 100)[0].shape == (1, 100)


@pytest.mark.parametrize("stage", ["sharpen", "sharpen-wide", "unblur 3"])
def test_sharpening_undoes_some_of_a_blur(draw: Callable[..., Image], stage: str) -> None:
    """Edges are steeper afterwards."""
    blurred = optics.lens_blur(draw("hello", scale=6), 2.5)
    sharpened = {preparation.stage: preparation.prepare for preparation in EVERY}[stage](blurred)
    assert cv2.Laplacian(sharpened, cv2.CV_64F).std() > 2 * cv2.Laplacian(blurred, cv2.CV_64F).std()


def test_what_is_tried_depends_on_the_picture() -> None:
    """A dark one is stretched first, one with all gray levels never; only a small one is doubled."""
    stages = [preparation.stage for preparation in preparations(DARK)]
    assert stages[:2] == ["normalise", "double-size"]
    large = np.zeros((480, 640), np.uint8)
    large[0, 0] = 255
    assert {"normalise", "double-size"}.isdisjoint(preparation.stage for preparation in preparations(large))
