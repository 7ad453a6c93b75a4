"""Reads the digits on a token's display from a picture, by geometry: where each segment or dot must be, is it on?

It never guesses: a digit that is not clearly one of the ten is ``?``, and a reading with one of those is no code. The
place of the display is calibrated once, as the four corners of its row of digits, and so is how many digits it has.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import cv2
import numpy as np

from emulators.camera_scanner import ssocr
from emulators.camera_scanner.frames import require_image
from emulators.camera_scanner.preparations import to_gray

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from emulators.camera_scanner.frames import Corners, Image

UNKNOWN = "?"
LEAST_CONFIDENCE = 0.3
"""A digit with less is doubtful. 1: every segment is wholly on or off; 0: one of them is half on."""
_LEAST_CONTRAST = 10.0
"""Gray levels between on and off, below which a display is taken for dark."""
_CONTRADICTION = 0.9
"""So sure of another digit, as a share of how sure the best fit is of its own, makes another fit a digit doubtful."""
_LEAST_SEGMENT_LIKENESS = 0.4
"""Correlation of a cell with its digit below which it shows something else, however clear its segments are."""
_LEAST_LIKENESS = 0.75
"""Correlation of dots with a glyph below which they are none."""
_LARGE_GLYPH = 24
"""Rows of dots above which a dot takes four pixels of the flattened display instead of eight."""
_SEARCH = (-8, -6, -4, -2, 0, 2, 4, 6, 8)
"""Pixels of the flattened display by which its calibration may be wrong."""
_SHIFTS = np.array([(across, down) for down in _SEARCH for across in _SEARCH])
_UNMOVED = len(_SHIFTS) // 2


@dataclass(frozen=True, slots=True)
class Reading:
    """What a display showed."""

    text: str
    """One character for each place; ``?`` where it is doubtful."""

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


# Centre (x, y) of segments a to g in a digit that is one wide and one high, in the order of the patterns below; the outer
# ones stand half a stroke within the edge.
_SEGMENTS = np.array([(0.5, 0), (1, 0.27), (1, 0.73), (0.5, 1), (0, 0.73), (0, 0.27), (0.5, 0.5)])
_INWARDS = np.array([(0, 1), (-1, 0), (-1, 0), (0, -1), (1, 0), (1, 0), (0, 0)])
_STROKES = (0.1, 0.18, 0.26)
"""Shares of a digit's width: thin, usual and bold segments."""
_LYING = np.array([True, False, False, True, False, False, True])
_HOLES = np.array([(0.5, 0.275), (0.5, 0.725)])
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
_SHIFT_COST = 0.005
"""Of a pixel's shift, in clarity: of two places that are as clear, the calibrated one is right."""
_BITS = 1 << np.arange(6, -1, -1)
_IS_DIGIT = np.isin(np.arange(128), [int(pattern, 2) for pattern in _PATTERNS])
_WIDE, _HIGH, _MARGIN, _ROUND = 48, 86, 12, 6


@dataclass(frozen=True, slots=True)
class SevenSegments:
    """A row of seven-segment digits; slanted ones are calibrated by a slanted quadrilateral."""

    digits: int
    gap: float = 0.35
    """Between two digits, as a share of a digit's width."""
    second_opinion: bool = False
    """Whether the program ``ssocr`` is asked too, where it is installed: a digit of which it is of another opinion is doubtful."""

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
        square = _flatten(image, corners, (width, _HIGH))
        flat = square.astype(np.float32)
        left = _MARGIN + pitch * np.arange(self.digits)
        x, y = _places(left, _HOLES)
        ground = cv2.blur(flat, (9, 9))[y, x].mean(axis=-1, keepdims=True)
        if _level(_sampled(flat, left, _STROKES[1])[_UNMOVED] - ground[_UNMOVED]) < 0:
            flat, ground = -flat, -ground  # dark segments on light ground
        smooth = cv2.blur(flat, (5, 5))
        fits = [self._fit(flat, smooth, ground, stroke) for stroke in _STROKES]
        best = max(fits, key=_total)
        found = [_undisputed(own, others) for own, *others in zip(best, *fits, strict=True)]
        if self.second_opinion and (other := ssocr.read_digits(square, self.digits)) is not None:
            found = [(name, sure if name == its else 0.0) for (name, sure), its in zip(found, other, strict=True)]
        return _reading(found)

    def _fit(self, flat: NDArray[Any], smooth: NDArray[Any], ground: NDArray[Any], stroke: float) -> list[_Opinion]:
        """The digits, if the segments have this stroke."""
        left = _MARGIN + _WIDE * (1 + self.gap) * np.arange(self.digits)
        signal = _sampled(flat, left, stroke) - ground
        lit = _lit(signal, _level(signal[_UNMOVED]))
        # A calibration that is a pixel off here and there moves the first digit one way and the last another, and those
        # between by their share of both. Where are all clearest together?
        ways = _ways(tuple(np.linspace(0, 1, self.digits) if self.digits > 1 else (0.0,)))
        clarity = _clarity(lit) - _SHIFT_COST * np.abs(_SHIFTS).sum(axis=1)[:, None]
        shifts = ways[clarity[ways, np.arange(self.digits)].sum(axis=1).argmax()]
        found = []
        for segments, at, shift in zip(lit[shifts, np.arange(self.digits)], left, shifts, strict=True):
            pattern = "".join("1" if value > 0.5 else "0" for value in segments)
            clear = min(1.0, 2 * float(np.abs(segments - 0.5).min()))
            alike = _likeness(smooth, pattern, stroke, (at, _MARGIN) + _SHIFTS[shift])
            found.append(_Opinion(_PATTERNS.get(pattern, UNKNOWN), min(clear, alike), alike))
        return found


class _Opinion(NamedTuple):
    """What a digit is, if its segments have one stroke."""

    name: str
    sure: float
    alike: float
    """How much its cell looks like that digit, whatever the segments say one by one."""


def _undisputed(own: _Opinion, others: list[_Opinion]) -> tuple[str, float]:
    """A digit and how sure it is: not at all if another opinion is nearly as sure of another digit, or looks more like it."""
    against = [each for each in others if each.name not in (own.name, UNKNOWN)]
    if any(each.sure >= _CONTRADICTION * own.sure or each.alike > own.alike for each in against):
        return own.name, 0.0
    return own.name, own.sure


def _total(found: list[_Opinion]) -> float:
    """How many are digits, and how sure they are."""
    return sum((each.name != UNKNOWN) + each.sure for each in found)


def _sampled(flat: NDArray[Any], left: NDArray[np.floating[Any]], stroke: float) -> NDArray[Any]:
    """How bright the middle of each segment is, where it is brightest across: shape (shifts, digits, 7)."""
    lying = cv2.dilate(cv2.blur(flat, (15, 3)), np.ones((5, 1), np.uint8))
    standing = cv2.dilate(cv2.blur(flat, (3, 17)), np.ones((1, 5), np.uint8))
    inset = np.array([stroke / 2, stroke / 2 * _WIDE / _HIGH])
    x, y = _places(left, _SEGMENTS + _INWARDS * inset)
    return np.asarray(np.where(_LYING, lying[y, x], standing[y, x]))


def _likeness(flat: NDArray[Any], pattern: str, stroke: float, place: NDArray[Any]) -> float:
    """How much the cell at ``place`` (x, y) looks as with these segments, as a correlation; 0 if another digit fits better.

    Where the calibration is far off, half of something else can look like a clear digit: not by all that is around it.
    """
    digits, ideals = _ideals(stroke)
    if pattern not in digits:
        return 0.0
    x, y = (round(float(at)) - _ROUND for at in place)
    high, wide = ideals.shape[1:]
    top, left = max(y, 0), max(x, 0)
    seen = flat[top : y + high, left : x + wide]
    ideals = ideals[:, top - y :, left - x :][:, : seen.shape[0], : seen.shape[1]].reshape(len(digits), -1)
    ideals = ideals - ideals.mean(axis=1, keepdims=True)
    seen = (seen - seen.mean()).reshape(-1)
    alike = ideals @ seen / (np.linalg.norm(ideals, axis=1) * (float(np.linalg.norm(seen)) or 1.0))
    found = float(alike[digits.index(pattern)])
    return found if found >= alike.max() and found > _LEAST_SEGMENT_LIKENESS else 0.0


@functools.lru_cache(maxsize=8)
def _ideals(stroke: float) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """The segments of every digit, and its cell as ``_ideal``, one after the other."""
    return tuple(_PATTERNS), np.stack([_ideal(pattern, stroke) for pattern in _PATTERNS])


def _ideal(pattern: str, stroke: float) -> NDArray[np.float32]:
    """A digit's cell with its surroundings, 1 where a segment is on."""
    cell = np.zeros((_HIGH + 2 * _ROUND, _WIDE + 2 * _ROUND), np.float32)
    near, right, bottom = stroke / 2 * _WIDE, _WIDE * (1 - stroke / 2), _HIGH - stroke / 2 * _WIDE
    middle = _HIGH / 2
    ends = (
        (near, near, right, near), (right, near, right, middle), (right, middle, right, bottom), (near, bottom, right, bottom),
        (near, middle, near, bottom), (near, near, near, middle), (near, middle, right, middle),
    )  # fmt: skip
    for on, (x0, y0, x1, y1) in zip(pattern, ends, strict=True):
        if on == "1":
            start, end = ((round(x0) + _ROUND, round(y0) + _ROUND), (round(x1) + _ROUND, round(y1) + _ROUND))
            cv2.line(cell, start, end, (1.0,), max(1, round(stroke * _WIDE)))
    return np.asarray(cv2.blur(cell, (5, 5)), np.float32)


@functools.lru_cache(maxsize=16)
def _ways(shares: tuple[float, ...]) -> NDArray[np.intp]:
    """Every pair of shifts for the first and the last digit as indices of shifts, one for each digit between them."""
    first, last = (shifts.reshape(-1, 2) for shifts in np.broadcast_arrays(_SHIFTS[:, None], _SHIFTS[None, :]))
    share = np.array(shares)[:, None]
    between = first[:, None] * (1 - share) + last[:, None] * share
    steps = np.round((between - _SEARCH[0]) / (_SEARCH[1] - _SEARCH[0])).astype(np.intp)
    return np.asarray(steps[:, :, 1] * len(_SEARCH) + steps[:, :, 0], np.intp)


def _places(left: NDArray[np.floating[Any]], spots: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Columns and rows of ``spots`` at every shift in every digit, shape (shifts, digits, spots)."""
    x = left[None, :, None] + spots[:, 0] * _WIDE + _SHIFTS[:, 0, None, None]
    y = np.broadcast_to(_MARGIN + spots[:, 1] * _HIGH + _SHIFTS[:, 1, None, None], x.shape)
    return x.round().astype(np.intp), y.round().astype(np.intp)


def _level(signal: NDArray[np.float32]) -> float:
    """What the segments that are on differ by from the ground: below 0 where they are dark, 0 on a dark display."""
    bright, dark = (float(level) for level in np.percentile(signal, (85, 15)))
    level = bright if bright > -dark else dark
    return level if abs(level) >= _LEAST_CONTRAST else 0.0


def _lit(signal: NDArray[np.float32], level: float) -> NDArray[np.float32]:
    """How far each segment is on: 0 as the ground beside it, 1 as those that are; 0.5 everywhere on a dark display."""
    return np.asarray(signal / level, np.float32) if level else np.full_like(signal, 0.5)


def _clarity(lit: NDArray[np.float32]) -> NDArray[np.float32]:
    """How clear the seven segments of each digit are: those of a digit come before clearer ones that are none."""
    known = _IS_DIGIT[(lit > 0.5) @ _BITS]
    return np.asarray(known + np.abs(lit - 0.5).clip(0, 0.5).mean(axis=-1), np.float32)


@dataclass(frozen=True, slots=True)
class DotMatrix:
    """A row of characters of dots, all of one size.

    Args:
        glyphs: the dots of each digit, shape (rows, columns), true where a dot is on.
        digits: how many there are.
        spacing: empty columns between two of them.
        group: after so many digits one place is empty, as in "1234 5678"; 0: after none.
    """

    glyphs: Mapping[str, NDArray[np.bool_]]
    digits: int
    spacing: int = 0
    group: int = 0

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
        places = self._place(self.digits - 1) + 1
        across = columns * places + self.spacing * (places - 1)
        dot = 8 if rows <= _LARGE_GLYPH else 4
        flat = _flatten(image, corners, (across * dot, rows * dot)).astype(np.float32)
        means = cv2.blur(flat, (dot // 2 + 1,) * 2)
        ideals = _of_length_one(np.array([glyph.ravel() for glyph in self.glyphs.values()], np.float64))
        best: tuple[float, list[tuple[str, float]]] | None = None
        for down in _SEARCH:
            for right in _SEARCH:
                y, x = _MARGIN + dot // 2 + down, _MARGIN + dot // 2 + right
                dots = means[y : y + rows * dot : dot, x : x + across * dot : dot]
                found = self._match(dots, columns, ideals)
                score = sum(confidence for _, confidence in found)
                if best is None or score > best[0]:
                    best = score, found
        assert best is not None
        return _reading(best[1])

    def _place(self, digit: int) -> int:
        """How many characters stand to the left of this digit."""
        return digit + (digit // self.group if self.group else 0)

    def _match(self, dots: NDArray[Any], columns: int, ideals: NDArray[np.float64]) -> list[tuple[str, float]]:
        """The best glyph for each place, and by how much it is better than the second best."""
        low, high = np.percentile(dots, (5, 95))
        if high - low < _LEAST_CONTRAST:
            return [(UNKNOWN, 0.0)] * self.digits
        pitch = columns + self.spacing
        starts = [pitch * self._place(digit) for digit in range(self.digits)]
        places = np.array([dots[:, start : start + columns].ravel() for start in starts], np.float64)
        likeness = _of_length_one(places) @ ideals.T
        # Dots are lighter than the ground, or darker.
        both = likeness, -likeness
        likest = max(both, key=lambda signed: float(signed.max(axis=1).sum()))
        names = list(self.glyphs)
        found = []
        for row in likest:
            order = np.argsort(row)
            best = float(row[order[-1]])
            lead = best - float(row[order[-2]])
            found.append((names[order[-1]] if best > _LEAST_LIKENESS else UNKNOWN, min(1.0, 4 * lead * best)))
        return found


def _of_length_one(patterns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row less its mean, and of length 1, so that the product of two of them is their correlation."""
    centred = patterns - patterns.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.where(length > 0, length, 1.0), np.float64)


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
    return Reading("".join(name if confidence >= LEAST_CONFIDENCE else UNKNOWN for name, confidence in digits))
