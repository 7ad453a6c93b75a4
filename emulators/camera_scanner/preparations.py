"""What is done to a gray picture before a reader that found nothing in it looks once more.

The choice and the order come from measurement: together they read what any of twenty preparations could read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulators.camera_scanner.frames import Image


@dataclass(frozen=True, slots=True)
class Preparation:
    """A picture made easier to read."""

    stage: str
    """The name by which a read tells that it needed this."""
    prepare: Callable[[Image], Image]
    scale: float = 1.0
    """How many pixels of the original are one pixel of what ``prepare`` returns, along a side."""


def to_gray(image: Image) -> Image:
    """Luminance, shape (height, width)."""
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def shrink(gray: Image, longest: int) -> tuple[Image, float]:
    """The picture with no side longer than ``longest`` pixels, and how many old pixels one new pixel is."""
    scale = max(1.0, max(gray.shape) / longest)
    if scale == 1.0:
        return gray, scale
    size = (max(1, round(gray.shape[1] / scale)), max(1, round(gray.shape[0] / scale)))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def half(gray: Image) -> Image:
    """Half the size: averages noise and moire away."""
    size = (max(1, gray.shape[1] // 2), max(1, gray.shape[0] // 2))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def adaptive_threshold(gray: Image) -> Image:
    """Black and white, each pixel judged by its neighbourhood of 25 pixels: for shadows and low light."""
    method, kind = cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY
    return np.asarray(cv2.adaptiveThreshold(gray, 255, method, kind, 25, 5), np.uint8)


def normalise(gray: Image) -> Image:
    """Stretched so that the darkest pixel is black and the brightest white."""
    low, high, _, _ = cv2.minMaxLoc(gray)
    return np.asarray(
        cv2.convertScaleAbs(gray, alpha=255 / max(1.0, high - low), beta=-255 * low / max(1.0, high - low)), np.uint8
    )


def denoise_and_sharpen(gray: Image) -> Image:
    """A small blur against noise, then edges exaggerated against the lens."""
    smooth = cv2.GaussianBlur(gray, (0, 0), 1)
    return np.asarray(cv2.addWeighted(smooth, 5, cv2.GaussianBlur(smooth, (0, 0), 3), -4, 0), np.uint8)


PREPARATIONS = (
    Preparation("half-size", half, 2.0),
    Preparation("adaptive-threshold", adaptive_threshold),
    Preparation("normalise", normalise),
    Preparation("denoise-and-sharpen", denoise_and_sharpen),
)
"""In the order in which they are tried: most reads per millisecond first."""
