"""Finds the places where codes are by the outlines of their three finder patterns, whether or not a code can be read there.

A reader gives up a code whose modules do not lie on a flat grid, or whose version it cannot make out. Three squares in
squares remain what they are, bent around a bottle or not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from emulators.camera_scanner.frames import Corners

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from emulators.camera_scanner.frames import Image

    Points = NDArray[np.float32]
    Contour = cv2.typing.MatLike

_WINDOWS = (15, 61)
"""Pixels on a side of the neighbourhoods by whose mean a pixel is dark or light: for small codes, and for large ones."""
_SMALLEST = 10.0
"""Pixels on a side of a finder pattern: seven modules."""
_NOISY = 4.0
"""Gray levels by which the pixels of a noisy picture differ from the median of those around them, on average."""
_SPECKLED = 20_000
"""Pixels that are unlike most of those around them: with fewer there are so few specks that erasing them costs more than they do."""
_NEIGHBOURS = 6
_MOST_PATTERNS = 400


@dataclass(frozen=True, slots=True, eq=False)
class _Pattern:
    """A square in a square in a square."""

    x: float
    y: float
    quad: Points
    """The four corners of its outline, in any order."""
    side: float


def find_places(gray: Image, taken: Sequence[Corners] = ()) -> list[Corners]:
    """Where three finder patterns of a size stand in a right angle, the best first; each pattern belongs to one code.

    The corners are those of a code that follows the standard; their order does not tell a mirrored code from another.

    Args:
        gray: the picture.
        taken: places of codes that were read: their patterns are no other code's, as it might seem where many codes
            stand in rows.
    """
    patterns: list[_Pattern] = []
    read = [_a_little_larger(corners) for corners in taken]
    calm = _without_noise(gray)
    for picture in (calm, cv2.bitwise_not(calm)):
        for window in _WINDOWS:
            for one in _patterns(np.asarray(picture, np.uint8), window):
                known = any(abs(one.x - other.x) + abs(one.y - other.y) < other.side / 2 for other in patterns)
                if not known and not any(cv2.pointPolygonTest(code, (one.x, one.y), False) >= 0 for code in read):
                    patterns.append(one)
                if len(patterns) > _MOST_PATTERNS:
                    return []  # a carpet, not codes
    places = []
    used: set[int] = set()
    for _, trio in sorted(_trios(patterns), key=lambda rated: rated[0]):
        if not used & set(trio):
            used |= set(trio)
            corner, right, below = (patterns[number] for number in trio)
            places.append(_outline(corner, right, below))
    return places


def _a_little_larger(corners: Corners) -> Points:
    """The outline of a code and a little more, since no reader tells it exactly."""
    outline = np.array(corners, np.float32)
    middle = outline.mean(axis=0)
    return np.asarray(middle + (outline - middle) * 1.05, np.float32)


def _without_noise(gray: Image) -> Image:
    """The picture, smoothed if it is noisy: noise has more outlines than all else, and each one costs time."""
    smooth = cv2.medianBlur(gray, 3)
    return np.asarray(smooth, np.uint8) if float(cv2.absdiff(gray, smooth).mean()) > _NOISY else gray


def _patterns(gray: Image, window: int) -> Iterator[_Pattern]:
    """Light squares with dark squares in their middles, of areas like 25 and 9; the dark ring around may touch anything."""
    dark = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, 7)
    contours, tree = cv2.findContours(
        _without_specks(np.asarray(dark, np.uint8)), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE
    )
    if not contours:
        return
    # Two levels: outlines of dark areas, and as their children the holes in them. What is dark in a hole is an outline again.
    is_hole = np.asarray(tree)[0, :, 3] >= 0
    # An outline with fewer points is none of a square.
    long = [number for number, contour in enumerate(contours) if len(contour) > 3]
    boxes = np.array([cv2.boundingRect(contours[number]) for number in long]).reshape(-1, 4)
    places = np.column_stack([boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:].max(axis=1)])
    large = boxes[:, 2:].min(axis=1) > _SMALLEST * np.where(is_hole[long], 5, 3) / 7
    numbers = np.array(long)
    holes, cores = numbers[large & is_hole[long]], numbers[large & ~is_hole[long]]
    middles = places[large & ~is_hole[long]]
    for number, (x, y, side) in zip(holes.tolist(), places[large & is_hole[long]], strict=True):
        near = np.maximum(np.abs(middles[:, 0] - x), np.abs(middles[:, 1] - y)) < 0.15 * side
        if not near.any():
            continue
        area = cv2.contourArea(contours[number])
        if not _is_square(contours[number], area):
            continue
        for core in cores[near].tolist():
            dark_area = cv2.contourArea(contours[core])
            # An outline runs through the outermost pixels of what is dark: half a pixel inside of a core, and outside of a hole.
            share = (math.sqrt(dark_area) + 1) / (math.sqrt(area) - 1)
            if 0.45 < share < 0.66 and _is_square(contours[core], dark_area):
                quad = _quad(contours[number])
                middle = quad.mean(axis=0)
                yield _Pattern(
                    float(middle[0]),
                    float(middle[1]),
                    middle + (quad - middle) * np.float32(7 / 5),
                    1.4 * (math.sqrt(area) - 1),
                )
                break


def _without_specks(dark: Image) -> Image:
    """The picture without what is too small to be a core or a hole: all other outlines remain as they are.

    A noisy picture has tens of thousands of specks, and each outline is an object that OpenCV makes while it lets no
    other thread run, not even one whose deadline is over.
    """
    if cv2.countNonZero(cv2.absdiff(dark, cv2.medianBlur(dark, 3))) < _SPECKLED:
        return dark
    height, width = dark.shape
    # An outline of a hole runs around it; and what touches the edge of the picture is no hole.
    for value, connectivity, least in ((0, 8, _SMALLEST * 3 / 7), (255, 4, _SMALLEST * 5 / 7 - 2)):
        picture = dark if value == 0 else cv2.bitwise_not(dark)
        _, labels, boxes, _ = cv2.connectedComponentsWithStats(picture, connectivity=connectivity)
        left, top, wide, high = (boxes[:, part] for part in range(4))
        specks = np.minimum(wide, high) <= least
        if value == 255:
            specks &= (left > 0) & (top > 0) & (left + wide < width) & (top + high < height)
        specks[0] = False  # all that is not in this colour
        dark = np.where(np.take(specks, np.asarray(labels)), np.uint8(value), dark)
    return dark


def _is_square(contour: Contour, area: float) -> bool:
    """Whether it may be one, or a disc, seen at some angle."""
    _, (wide, high), _ = cv2.minAreaRect(contour)
    return max(wide, high) < 3 * min(wide, high) and area > 0.55 * wide * high


def _quad(contour: Contour) -> Points:
    """Its corners if it has four, or those of the rectangle around it."""
    simple = cv2.approxPolyDP(cv2.convexHull(contour), 0.07 * cv2.arcLength(contour, True), True)
    corners = simple[:, 0] if len(simple) == 4 else cv2.boxPoints(cv2.minAreaRect(contour))
    return np.asarray(corners, np.float32)


def _trios(patterns: list[_Pattern]) -> Iterator[tuple[float, tuple[int, int, int]]]:
    """How far from a right angle with equal arms (0 is one), and the numbers of: corner, one arm, the other clockwise."""
    if len(patterns) < 3:
        return
    middles = np.array([(one.x, one.y) for one in patterns])
    sides = np.array([one.side for one in patterns])
    for number, side in enumerate(sides):
        away = middles - middles[number]
        lengths = np.hypot(away[:, 0], away[:, 1])
        like = np.nonzero((lengths > 1.5 * side) & (lengths < 30 * side) & (sides > side / 2) & (sides < side * 2))[0]
        for one, other in combinations(like[np.argsort(lengths[like])][:_NEIGHBOURS].tolist(), 2):
            cosine = abs(float(away[one] @ away[other]) / float(lengths[one] * lengths[other]))
            unlike = abs(math.log(lengths[one] / lengths[other]))
            if cosine < 0.7 and unlike < 0.8:
                clockwise = away[one][0] * away[other][1] > away[one][1] * away[other][0]
                yield cosine + unlike, (number, one, other) if clockwise else (number, other, one)


def _outline(corner: _Pattern, right: _Pattern, below: _Pattern) -> Corners:
    """The corners of the symbol: of three patterns the outermost ones, and where the outer edges of two of them meet."""
    across, down = (
        np.array((arm.x - corner.x, arm.y - corner.y), np.float32) / math.hypot(arm.x - corner.x, arm.y - corner.y)
        for arm in (right, below)
    )

    def outermost(pattern: _Pattern, way: Points) -> Points:
        return cast("Points", pattern.quad[int(np.argmax(pattern.quad @ way))])

    first, second, fourth = (
        outermost(corner, -across - down),
        outermost(right, across - down),
        outermost(below, down - across),
    )
    edge, base = outermost(right, across + down) - second, outermost(below, across + down) - fourth
    turn = float(edge[0] * base[1] - edge[1] * base[0])
    third = second + fourth - first
    if abs(turn) > 1e-3:
        gap = fourth - second
        met = second + edge * (float(gap[0] * base[1] - gap[1] * base[0]) / turn)
        if np.linalg.norm(met - third) < 0.5 * np.linalg.norm(fourth - second):
            third = met
    return cast("Corners", tuple((float(x), float(y)) for x, y in (first, second, third, fourth)))
