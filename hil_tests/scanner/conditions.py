"""How a code is spoilt before it is held before the scanner, and how often it has to be read all the same.

The spoiling is in the picture, so that a scanner that looks at a screen or at paper meets it too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from emulators.camera_scanner import optics
from emulators.camera_scanner.frames import Image

PICTURES: Final = 6
"""Of each condition."""
MOST_SECONDS: Final = 5.0
"""For one read: longer nobody waits before a kiosk."""
WHITE: Final = 255


@dataclass(frozen=True, slots=True)
class Condition:
    """One way of spoiling a picture (``spoil`` gets it and a seed), and the share of pictures that must be read."""

    name: str
    least: float
    spoil: Callable[[Image, int], Image]


def _sized(share: float) -> Callable[[Image, int], Image]:
    """The code takes this share of the side that it could have."""

    def spoil(picture: Image, _seed: int) -> Image:
        border = round(picture.shape[0] * (1 / share - 1) / 2)
        return np.asarray(
            cv2.copyMakeBorder(picture, border, border, border, border, cv2.BORDER_CONSTANT, value=[WHITE]), np.uint8
        )

    return spoil


def _turned(degrees: float) -> Callable[[Image, int], Image]:
    """Turned about the line of sight, one way or the other."""

    def spoil(picture: Image, seed: int) -> Image:
        wide = _sized(0.7)(picture, seed)
        size = (wide.shape[1], wide.shape[0])
        turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), degrees * (-1) ** seed, 1)
        return np.asarray(cv2.warpAffine(wide, turn, size, borderValue=[WHITE]), np.uint8)

    return spoil


def _tilted(degrees: float) -> Callable[[Image, int], Image]:
    """Leaning back or to a side."""

    def spoil(picture: Image, seed: int) -> Image:
        wide = _sized(0.8)(picture, seed)
        size = (wide.shape[1], wide.shape[0])
        tilt, pan = ((degrees, 0.0), (-degrees, 0.0), (0.0, degrees), (0.0, -degrees))[seed % 4]
        homography = optics.pose(size, size, optics.View(tilt, pan, 0.0, 0.0, 0.0))
        return np.asarray(cv2.warpPerspective(wide, homography, size, borderValue=[WHITE]), np.uint8)

    return spoil


def _inverted(picture: Image, _seed: int) -> Image:
    return np.asarray(WHITE - picture, np.uint8)


CONDITIONS: Final = (
    Condition("as printed", 1.0, lambda picture, _: picture),
    Condition("three quarters of the size", 1.0, _sized(0.75)),
    Condition("half the size", 0.8, _sized(0.5)),
    Condition("turned by 30 degrees", 0.8, _turned(30)),
    Condition("upside down", 1.0, lambda picture, _: np.ascontiguousarray(picture[::-1, ::-1])),
    Condition("tilted by 20 degrees", 0.8, _tilted(20)),
    Condition("tilted by 35 degrees", 0.5, _tilted(35)),
    Condition("blurred by a quarter of a module", 0.8, lambda picture, _: optics.lens_blur(picture, 2)),
    Condition("blurred by half a module", 0.5, lambda picture, _: optics.lens_blur(picture, 4)),
    Condition("smeared by a module", 0.5, lambda picture, seed: optics.motion_blur(picture, 8, seed)),
    Condition("at half the light", 0.8, lambda picture, _: optics.exposure(picture, 0.5)),
    Condition("at half the contrast", 0.8, lambda picture, _: optics.exposure(picture, 1.0, 0.5)),
    Condition("with glare", 0.5, lambda picture, seed: optics.glare(picture, 0.5, seed)),
    Condition("on a grainy screen", 0.8, lambda picture, seed: optics.sensor_noise(picture, 25, seed)),
    Condition("a tenth of it covered", 0.3, lambda picture, seed: optics.occlusion(picture, 0.04, seed)),
    Condition("light on dark", 0.8, _inverted),
)
