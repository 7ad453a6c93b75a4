"""Pictures fitted into a camera's frame, and packed as those who open one expect them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from emulators.camera_scanner.frames import require_image

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image

_QUALITIES = (85, 60, 30, 10, 1)


def fitted(image: Image, size: tuple[int, int]) -> Image:
    """``image`` in colour, as large as it goes, in the middle of a black frame of ``size`` (width, height).

    Raises:
        ImageError: if it is no picture.
    """
    picture = require_image(image)
    colour = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) if picture.ndim == 2 else picture
    width, height = size
    if colour.shape[:2] == (height, width):
        return np.asarray(colour, np.uint8)
    scale = min(width / colour.shape[1], height / colour.shape[0])
    shape = max(1, round(colour.shape[1] * scale)), max(1, round(colour.shape[0] * scale))
    smaller = cv2.resize(colour, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    frame = np.zeros((height, width, 3), np.uint8)
    left, top = (width - shape[0]) // 2, (height - shape[1]) // 2
    frame[top : top + shape[1], left : left + shape[0]] = smaller
    return frame


def planes(frame: Image) -> bytes:
    """Y, U and V one after the other, colour at half the resolution each way (I420, 4:2:0)."""
    return cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes()


def yuyv(frame: Image) -> bytes:
    """Two bytes for a pixel: brightness, and by turns U and V (YUYV, 4:2:2)."""
    return cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_YUYV).tobytes()


def jpeg(frame: Image, most_bytes: int) -> bytes:
    """A JPEG file of at most ``most_bytes``: of less quality where it would be longer.

    Raises:
        ValueError: if none is so short.
    """
    for quality in _QUALITIES:
        _, packed = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if packed.size <= most_bytes:
            return packed.tobytes()
    raise ValueError(f"expected room for a JPEG of {packed.size} bytes, found {most_bytes}")
