"""The place of a code in a picture, drawn anew as if the code were seen squarely: from a flat sheet, or from around a bottle."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from emulators.camera_scanner.frames import Corners, Image

SIDE, MARGIN = 480, 40
"""Pixels of a flattened picture, and of it around the code."""

BENT_MARGIN = 96
"""Around a code that may bulge out of its corners."""
_SAGS = (-0.06, 0.06, -0.12, 0.12, -0.2, 0.2, -0.3, 0.3)
"""Of half the code's height: how far the middle of its edges stands below its corners, around a bottle seen from above."""
_CROWDINGS = (0.05, 0.2)
"""How much the modules crowd together at the sides of a bottle."""


def cut_out(gray: Image, corners: Corners) -> tuple[Image, Corners]:
    """The part of a picture with the code and what is around it, no larger than is of use, and the code's corners in it."""
    points = np.array(corners, np.float32)
    low, high = points.min(axis=0), points.max(axis=0)
    extent = max(1.0, float((high - low).max()))
    reach = 0.4 * extent + 8
    left, top = (max(0, int(edge - reach)) for edge in low)
    right, bottom = (int(edge + reach) + 1 for edge in high)
    part = gray[top:bottom, left:right]
    if not part.size:
        return gray, corners
    # What a sample stands for is averaged first, or noise would be sampled instead of modules.
    shrink = min(1.0, 1.5 * SIDE / extent)
    if shrink < 1:
        size = (max(1, round(part.shape[1] * shrink)), max(1, round(part.shape[0] * shrink)))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    moved = (points - np.array((left, top), np.float32)) * shrink
    return part, cast("Corners", tuple((float(x), float(y)) for x, y in moved))


def flattened(gray: Image, corners: Corners) -> Image:
    """The code between ``corners`` as if seen squarely, and what is around it."""
    far = SIDE - MARGIN
    square = np.array([(MARGIN, MARGIN), (far, MARGIN), (far, far), (MARGIN, far)], np.float32)
    homography = cv2.getPerspectiveTransform(np.array(corners, np.float32), square)
    flat = cv2.warpPerspective(gray, homography, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, np.uint8)


def unflattened(place: Corners, corners: Corners, margin: int) -> Corners:
    """Where a ``place`` in a flattened picture was in the whole one: ``corners``, unless it is only a part of what is between them.

    Where many codes stand in rows, finder patterns of three of them may be taken for one code's, with others inside.
    """
    far = SIDE - margin
    square = np.array([(margin, margin), (far, margin), (far, far), (margin, far)], np.float32)
    inside = np.array(place, np.float32)
    if float(np.abs(inside.mean(axis=0) - SIDE / 2).max()) < (far - margin) / 8 and _area(inside) > _area(square) / 2:
        return corners
    homography = cv2.getPerspectiveTransform(square, np.array(corners, np.float32))
    moved = cv2.perspectiveTransform(inside.reshape(-1, 1, 2), homography).reshape(-1, 2)
    return cast("Corners", tuple((float(x), float(y)) for x, y in moved))


def _area(corners: NDArray[np.float32]) -> float:
    return float(cv2.contourArea(corners))


def framed(flat: Image) -> Image:
    """A flattened code with the quiet zone that it should have, where a picture or print stands in it."""
    near, far = MARGIN, SIDE - MARGIN
    inside = flat[near:far, near:far]
    dark, light = np.percentile(inside[::4, ::4], (5, 95))
    # The outer rings of the finder patterns are ink, and begin in three of the corners.
    ink = np.median(
        [flat[near + 1 : near + 4, near + 1 : near + 4].mean(), flat[near + 1 : near + 4, far - 4 : far - 1].mean()]
    )
    paper = int(light if ink < (dark + light) / 2 else dark)
    frame = np.full_like(flat, paper)
    frame[near:far, near:far] = inside
    return frame


def on_a_bottle(corners: Corners) -> Corners:
    """The corners with the third where a parallelogram has it: what the edges near it aim at is bent away."""
    first, second, _, fourth = corners
    return first, second, (second[0] + fourth[0] - first[0], second[1] + fourth[1] - first[1]), fourth


def unrolled(gray: Image, corners: Corners) -> Iterator[Image]:
    """The code as it would lie on a table, for bottles of different sizes, upright and lying, seen from above and below."""
    square = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float32)
    homography = cv2.getPerspectiveTransform(square, np.array(on_a_bottle(corners), np.float32))
    steps = (np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2) / (SIDE / 2 - BENT_MARGIN)
    for crowding in _CROWDINGS:
        for sag in _SAGS:
            for upright in (True, False):
                along, beside = np.meshgrid(steps, steps) if upright else np.meshgrid(steps, steps)[::-1]
                bulge = np.clip(1 - along * along, -1, 1)
                x, y = along + crowding * along * bulge, beside + sag * bulge
                yield _sampled(gray, homography, np.stack((x, y) if upright else (y, x), axis=-1))


def _sampled(gray: Image, homography: cv2.typing.MatLike, places: NDArray[np.float32]) -> Image:
    """The picture's pixels at ``places``, seen through ``homography``."""
    seen = cv2.perspectiveTransform(places.reshape(-1, 1, 2), homography).reshape(places.shape)
    sampled = cv2.remap(gray, seen[..., 0], seen[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.uint8)
