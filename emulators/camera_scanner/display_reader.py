"""Reads the digits on a token's display from a picture, by geometry: where each segment or dot must be, is it on?

It never guesses: a digit that is not clearly one of the ten is ``?``, and a reading with one of those is no code. The
place of the display is calibrated once, as the four corners of its row of digits, and so is how many digits it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np

from emulators.camera_scanner.frames import require_image
from emulators.camera_scanner.preparations import to_gray

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from emulators.camera_scanner.decoders import Corners
    from emulators.camera_scanner.frames import Image

UNKNOWN = "?"
LEAST_CONFIDENCE = 0.3
"""A digit with less is doubtful. 1: every segment is wholly on or off; 0: one of them is half on."""
_LEAST_CONTRAST = 10.0
"""Gray levels between on and off, below which a display is taken for dark."""
_LEAST_LIKENESS = 0.75
"""Correlation of dots with a glyph below which they are none."""
_SEARCH = (-6, -4, -2, 0, 2, 4, 6)
"""Pixels of the flattened display by which its calibration may be wrong."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a display showed."""

    text: str
    """One character for each place; ``?`` where it is doubtful."""
    confidences: tuple[float, ...]
    """0 to 1 for each place."""

    @property
    def code(self) -> str | None:
        """The digits, if none of them is doubtful."""
        return None if not self.text or UNKNOWN in self.text else self.text


class Panel(Protocol):
    """A kind of display."""

    def read(self, image: Image, corners: Corners) -> Reading:
        """What the panel between ``corners`` (of its row of digits: top left, top right, bottom right, bottom left) shows.

        Raises:
            ImageError: if ``image`` is not a picture.
        """
        ...


# Centre (x, y) of segments a to g in a digit that is one wide and one high, in the order of the patterns below.
_SEGMENTS = ((0.5, 0.055), (0.91, 0.27), (0.91, 0.73), (0.5, 0.945), (0.09, 0.73), (0.09, 0.27), (0.5, 0.5))
_LYING = np.array([True, False, False, True, False, False, True])
_HOLES = ((0.5, 0.275), (0.5, 0.725))
_PATTERNS = {
    "1111110": "0",
    "0110000": "1",
    "1101101": "2",
    "1111001": "3",
    "0110011": "4",
    "1011011": "5",
    "1011111": "6",
    "1110000": "7",
    "1110010": "7",
    "1111111": "8",
    "1111011": "9",
    "1110011": "9",
    "0011111": "6",
}
_WIDE, _HIGH, _MARGIN = 48, 86, 12


@dataclass(frozen=True, slots=True)
class SevenSegments:
    """A row of seven-segment digits; slanted ones are calibrated by a slanted quadrilateral."""

    digits: int
    gap: float = 0.35
    """Between two digits, as a share of a digit's width."""

    def __post_init__(self) -> None:
        if not 1 <= self.digits <= 16:
            raise ValueError(f"a display has 1 to 16 digits, found {self.digits}")

    def read(self, image: Image, corners: Corners) -> Reading:
        """What the digits between ``corners`` are.

        Raises:
            ImageError: if ``image`` is not a picture.
        """
        pitch = _WIDE * (1 + self.gap)
        width = round(pitch * (self.digits - 1) + _WIDE)
        flat = _flatten(image, corners, (width, _HIGH)).astype(np.float32)
        # The mean over the middle of a lying and of a standing segment, at every pixel.
        lying, standing = cv2.blur(flat, (15, 5)), cv2.blur(flat, (5, 17))
        holes = cv2.blur(flat, (9, 9))
        left = _MARGIN + pitch * np.arange(self.digits)[:, None]
        segments, spots = np.array(_SEGMENTS), np.array(_HOLES)
        best: tuple[float, list[tuple[str, float]]] | None = None
        for down in _SEARCH:
            for across in _SEARCH:
                x, y = _places(left, segments, across, down)
                values = np.where(_LYING, lying[y, x], standing[y, x])
                x, y = _places(left, spots, across, down)
                lit = _lit(values, holes[y, x].mean(axis=1, keepdims=True))
                found = [_digit(digit) for digit in lit]
                # A place where all are digits is right before one where segments are clearer and no digits.
                known = sum(name != UNKNOWN for name, _ in found)
                score = known + float(np.abs(lit - 0.5).clip(0, 0.5).mean())
                if best is None or score > best[0]:
                    best = score, found
        assert best is not None
        return _reading(best[1])


def _places(
    left: NDArray[np.floating[Any]], spots: NDArray[np.float64], across: int, down: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Columns and rows of ``spots`` in every digit, one digit a line."""
    x = (left + spots[:, 0] * _WIDE + across).round().astype(np.intp)
    y = np.broadcast_to((_MARGIN + spots[:, 1] * _HIGH + down).round().astype(np.intp), x.shape)
    return x, y


def _lit(values: NDArray[np.float32], off: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each segment is on: 0 as the ground beside it, 1 as those that are; 0.5 everywhere on a dark display."""
    signal = values - off
    # Dark segments on light ground or the other way round: whichever way the strongest ones are.
    bright, dark = float(np.percentile(signal, 85)), float(np.percentile(signal, 15))
    level = bright if bright > -dark else dark
    if abs(level) < _LEAST_CONTRAST:
        return np.full_like(signal, 0.5)
    return np.asarray(signal / level, np.float32)


def _digit(lit: NDArray[np.float32]) -> tuple[str, float]:
    """The digit with these seven segments, and how sure that is."""
    pattern = "".join("1" if value > 0.5 else "0" for value in lit)
    confidence = float(min(1.0, 2 * np.abs(lit - 0.5).min()))
    return _PATTERNS.get(pattern, UNKNOWN), confidence


@dataclass(frozen=True, slots=True)
class DotMatrix:
    """A row of characters of dots, all of one size.

    Args:
        glyphs: the dots of each digit, shape (rows, columns), true where a dot is on.
        digits: how many there are.
        spacing: empty columns between two of them.
    """

    glyphs: Mapping[str, NDArray[np.bool_]]
    digits: int
    spacing: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.digits <= 64:
            raise ValueError(f"a display has 1 to 64 digits, found {self.digits}")
        shapes = {glyph.shape for glyph in self.glyphs.values()}
        if len(shapes) != 1 or len(self.glyphs) < 2:
            raise ValueError(f"a display has two glyphs or more, all of one size, found {sorted(shapes)}")

    def read(self, image: Image, corners: Corners) -> Reading:
        """What the characters between ``corners`` are: the edges of the outermost dots' cells.

        Raises:
            ImageError: if ``image`` is not a picture.
        """
        rows, columns = next(iter(self.glyphs.values())).shape
        across = columns * self.digits + self.spacing * (self.digits - 1)
        dot = 8
        flat = _flatten(image, corners, (across * dot, rows * dot)).astype(np.float32)
        means = cv2.blur(flat, (5, 5))
        best: tuple[float, list[tuple[str, float]]] | None = None
        for down in _SEARCH:
            for right in _SEARCH:
                y, x = _MARGIN + dot // 2 + down, _MARGIN + dot // 2 + right
                dots = means[y : y + rows * dot : dot, x : x + across * dot : dot]
                found = self._match(dots, columns)
                score = sum(confidence for _, confidence in found)
                if best is None or score > best[0]:
                    best = score, found
        assert best is not None
        return _reading(best[1])

    def _match(self, dots: NDArray[Any], columns: int) -> list[tuple[str, float]]:
        """The best glyph for each place, and by how much it is better than the second best."""
        low, high = np.percentile(dots, (5, 95))
        if high - low < _LEAST_CONTRAST:
            return [(UNKNOWN, 0.0)] * self.digits
        pitch = columns + self.spacing
        places = [dots[:, pitch * place : pitch * place + columns] for place in range(self.digits)]
        both = [[_likest(place * sign, self.glyphs) for place in places] for sign in (1, -1)]
        likest = max(both, key=lambda found: sum(likeness for _, likeness, _ in found))
        return [
            (name if likeness > _LEAST_LIKENESS else UNKNOWN, min(1.0, 4 * lead * likeness))
            for name, likeness, lead in likest
        ]


def _likest(dots: NDArray[Any], glyphs: Mapping[str, NDArray[np.bool_]]) -> tuple[str, float, float]:
    """The glyph whose correlation with ``dots`` is highest, that correlation, and its lead over the next."""
    centred = dots - dots.mean()
    size = float(np.linalg.norm(centred)) or 1.0
    ranking = []
    for name, glyph in glyphs.items():
        ideal = glyph - glyph.mean()
        ranking.append((float((centred * ideal).sum()) / (size * (float(np.linalg.norm(ideal)) or 1.0)), name))
    ranking.sort(reverse=True)
    return ranking[0][1], ranking[0][0], ranking[0][0] - ranking[1][0]


class DisplayReader:
    """Reads a display over several frames: a code counts when frames in a row agree on it.

    Args:
        panel: the kind of display.
        corners: where it is in every frame.
        agreement: how many frames in a row.
    """

    def __init__(self, panel: Panel, corners: Corners, agreement: int = 2) -> None:
        self._panel, self._corners, self._agreement = panel, corners, agreement
        self._code: str | None = None
        self._times = 0

    def see(self, image: Image) -> str | None:
        """The code, once enough frames in a row agree on it; None before, and whenever a digit is doubtful.

        Raises:
            ImageError: if ``image`` is not a picture.
        """
        code = self._panel.read(image, self._corners).code
        self._times = self._times + 1 if code is not None and code == self._code else 1
        self._code = code
        return code if self._times >= self._agreement else None


def _flatten(image: Image, corners: Corners, size: tuple[int, int]) -> Image:
    """The display as if seen squarely, ``size`` (width, height) pixels large, with a margin around it."""
    width, height = size
    near = _MARGIN
    square = np.array(
        [(near, near), (near + width, near), (near + width, near + height), (near, near + height)], np.float32
    )
    homography = cv2.getPerspectiveTransform(np.array(corners, np.float32), square)
    gray = to_gray(require_image(image))
    whole = (width + 2 * near, height + 2 * near)
    flat = cv2.warpPerspective(gray, homography, whole, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, np.uint8)


def _reading(digits: list[tuple[str, float]]) -> Reading:
    text = "".join(name if confidence >= LEAST_CONFIDENCE else UNKNOWN for name, confidence in digits)
    return Reading(text, tuple(round(confidence, 3) for _, confidence in digits))
