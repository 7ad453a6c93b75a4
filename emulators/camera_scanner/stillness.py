"""Whether a picture is dark, and whether two show the same: cheap, on every fourth pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image

_DARK_LEVEL = 40.0
_STILL_LEVELS = 4.0


def is_dark(gray: Image) -> bool:
    """Whether hardly any light came to the sensor."""
    return float(gray[::4, ::4].mean()) < _DARK_LEVEL


def is_still(before: Image, after: Image) -> bool:
    """Whether two gray pictures have the same size and show the same, apart from noise."""
    if before.shape != after.shape:
        return False
    # Areas of 8x8 pixels hardly feel noise, and much feel what moves by a module.
    size = (max(1, before.shape[1] // 8), max(1, before.shape[0] // 8))
    small = [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in (before, after)]
    return float(np.percentile(cv2.absdiff(small[0], small[1]), 99)) < _STILL_LEVELS
