"""Draws what a camera looks at: a code on a phone, a laptop, a badge or a sheet of paper, and what lies around it.

Everything is drawn once, at the size in which the camera will see it, so that a frame costs one warp.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulators.camera_scanner.frames import Image
    from emulators.camera_scanner.preset import Scene

    Box = tuple[int, int, int, int]
    """Left, top, right and bottom, in pixels."""

_MARGIN = 1.5
"""The plane is this many times as large as the frame, so that a tilted camera still sees the desk."""


def draw_scene(code: Image, scene: Scene, size: tuple[int, int]) -> Image:
    """A flat scene with ``code`` in its middle, in colour, for a camera with frames of ``size`` (width, height)."""
    plane = _SURFACES[scene.surface](round(size[0] * _MARGIN), round(size[1] * _MARGIN)).copy()
    side = max(8, round(min(size) * scene.code_share))
    picture = fit(code, side)
    height, width = picture.shape[:2]
    left, top = (plane.shape[1] - width) // 2, (plane.shape[0] - height) // 2
    box = (left, top, left + width, top + height)
    _CARRIERS[scene.carrier](plane, box)
    plane[top : top + height, left : left + width] = picture
    return plane


def fit(code: Image, side: int) -> Image:
    """The picture ``code`` in colour, its longer side ``side`` pixels, each pixel the mean of what it covers."""
    colour = cv2.cvtColor(code, cv2.COLOR_GRAY2BGR) if code.ndim == 2 else code
    height, width = colour.shape[:2]
    ratio = side / max(height, width)
    if ratio > 1:
        # Area averaging only shrinks: first repeat whole pixels, so that the edges of modules stay where they are.
        colour = np.repeat(np.repeat(colour, math.ceil(ratio), axis=0), math.ceil(ratio), axis=1)
    target = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    return np.asarray(cv2.resize(colour, target, interpolation=cv2.INTER_AREA), np.uint8)


def _grain(width: int, height: int, stretch: tuple[int, int], seed: int) -> Image:
    """Smooth gray clouds of ``stretch`` (across, down) pixels about 128, for wood, plaster and cloth."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (max(2, height // stretch[1]), max(2, width // stretch[0])), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _tinted(gray: Image, colour: tuple[int, int, int], depth: float) -> Image:
    """``colour`` (blue, green, red), made lighter and darker by ``gray`` with ``depth`` 0 to 1."""
    shade = 1 + depth * (gray.astype(np.float32) - 128) / 128
    return np.asarray((shade[:, :, None] * np.array(colour, np.float32)).clip(0, 255), np.uint8)


@functools.lru_cache(maxsize=4)
def _wood(width: int, height: int) -> Image:
    """A desk of oak planks with a pen and a cup on it."""
    grain = cv2.addWeighted(_grain(width, height, (160, 3), 1), 0.6, _grain(width, height, (400, 24), 2), 0.4, 0)
    desk = _tinted(np.asarray(grain, np.uint8), (92, 138, 178), 0.22)
    for y in range(height // 6, height, height // 3):
        cv2.line(desk, (0, y), (width, y), (56, 88, 118), 2, cv2.LINE_AA)
    unit = height / 720
    cup = (round(width * 0.14), round(height * 0.2))
    for radius, colour in ((78, (60, 92, 122)), (70, (228, 226, 222)), (60, (190, 188, 184)), (56, (28, 44, 66))):
        cv2.circle(desk, cup, round(radius * unit), colour, -1, cv2.LINE_AA)
    start, end = (round(width * 0.83), round(height * 0.28)), (round(width * 0.9), round(height * 0.72))
    cv2.line(desk, (start[0] + 4, start[1] + 6), (end[0] + 4, end[1] + 6), (58, 88, 116), round(14 * unit), cv2.LINE_AA)
    cv2.line(desk, start, end, (96, 52, 30), round(12 * unit), cv2.LINE_AA)
    return desk


@functools.lru_cache(maxsize=4)
def _office(width: int, height: int) -> Image:
    """A pale wall above the edge of a gray desk, with a shelf of folders."""
    room = _tinted(_grain(width, height, (90, 90), 3), (206, 214, 216), 0.05)
    shelf = round(height * 0.2)
    rng = np.random.default_rng(4)
    x = 0
    while x < width:
        thick = int(rng.integers(width // 60, width // 28))
        high = int(rng.integers(height // 12, height // 7))
        colour = tuple(int(part) for part in rng.integers(50, 190, 3))
        cv2.rectangle(room, (x, shelf - high), (x + thick - 2, shelf), colour, -1)
        x += thick
    cv2.rectangle(room, (0, shelf), (width, shelf + height // 60), (120, 140, 150), -1)
    edge = round(height * 0.78)
    room[edge:] = _tinted(_grain(width, height, (200, 6), 5), (118, 122, 126), 0.08)[edge:]
    cv2.line(room, (0, edge), (width, edge), (78, 80, 84), 3, cv2.LINE_AA)
    return room


@functools.lru_cache(maxsize=4)
def _hall(width: int, height: int) -> Image:
    """The blurred hall behind a person who stands at a kiosk, and the coat of that person."""
    hall = _tinted(_grain(width, height, (width // 5, height // 4), 6), (150, 152, 150), 0.3)
    for share in (0.06, 0.36, 0.72):
        left = round(width * share)
        cv2.rectangle(hall, (left, 0), (left + width // 8, round(height * 0.55)), (214, 208, 196), -1)
    hall = np.asarray(cv2.GaussianBlur(hall, (0, 0), height / 60), np.uint8)
    coat = _tinted(_grain(width, height, (5, 5), 7), (74, 62, 56), 0.2)
    outline = [(0.08, 1.0), (0.16, 0.34), (0.36, 0.16), (0.64, 0.16), (0.84, 0.34), (0.92, 1.0)]
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.array([(x * width, y * height) for x, y in outline], np.int32)], (255,), cv2.LINE_AA)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), height / 120), np.uint8)
    weight = mask[:, :, None].astype(np.float32) / 255
    return np.asarray(coat * weight + hall * (1 - weight), np.uint8)


def _slab(plane: Image, box: Box, radius: int, colour: tuple[int, int, int]) -> None:
    """A rectangle with round corners."""
    left, top, right, bottom = box
    radius = max(0, min(radius, (right - left) // 2, (bottom - top) // 2))
    cv2.rectangle(plane, (left + radius, top), (right - radius, bottom), colour, -1)
    cv2.rectangle(plane, (left, top + radius), (right, bottom - radius), colour, -1)
    for x in (left + radius, right - radius):
        for y in (top + radius, bottom - radius):
            cv2.circle(plane, (x, y), radius, colour, -1, cv2.LINE_AA)


def _shadow(plane: Image, box: Box, reach: int) -> None:
    """Darken what lies just outside of ``box``, more below than above."""
    dark = np.full(plane.shape[:2], 255, np.uint8)
    left, top, right, bottom = box
    cv2.rectangle(dark, (left + reach // 4, top + reach // 3), (right + reach // 3, bottom + reach // 2), (120,), -1)
    dark = np.asarray(cv2.GaussianBlur(dark, (0, 0), max(1.0, reach / 3)), np.uint8)
    cv2.multiply(plane, cv2.merge([dark] * 3), plane, scale=1 / 255)


def _write(plane: Image, text: str, at: tuple[int, int], high: float, colour: tuple[int, int, int]) -> None:
    """``text`` with capitals ``high`` pixels high, centred on ``at`` (its foot)."""
    scale = max(0.2, high / 22)
    thick = max(1, round(scale * 1.6))
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    at = (round(at[0] - width / 2), at[1])
    cv2.putText(plane, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thick, cv2.LINE_AA)


def _grown(box: Box, left: float, top: float, right: float, bottom: float) -> Box:
    """``box`` moved outwards by shares of its width."""
    side = box[2] - box[0]
    return (
        round(box[0] - left * side),
        round(box[1] - top * side),
        round(box[2] + right * side),
        round(box[3] + bottom * side),
    )


def _phone(plane: Image, box: Box) -> None:
    """A phone with a bright screen."""
    side, middle = box[2] - box[0], (box[0] + box[2]) // 2
    body, screen = _grown(box, 0.12, 0.5, 0.12, 0.5), _grown(box, 0.07, 0.42, 0.07, 0.42)
    _shadow(plane, body, max(4, side // 12))
    _slab(plane, body, side // 8, (42, 38, 36))
    _slab(plane, screen, side // 12, (255, 255, 255))
    _slab(
        plane,
        (middle - side // 9, screen[1] + side // 40, middle + side // 9, screen[1] + side // 14),
        side // 20,
        (42, 38, 36),
    )
    _write(plane, "Sign in", (middle, box[1] - side // 12), side / 14, (60, 44, 30))
    _write(plane, "Scan with your token", (middle, box[3] + side // 9), side / 24, (120, 110, 100))
    button = (middle - side // 4, box[3] + side // 5, middle + side // 4, box[3] + side // 3)
    _slab(plane, button, side // 30, (176, 104, 38))
    _write(plane, "Enter code", (middle, button[3] - side // 22), side / 24, (255, 255, 255))


def _laptop(plane: Image, box: Box) -> None:
    """A laptop whose browser shows a page."""
    side, middle = box[2] - box[0], (box[0] + box[2]) // 2
    lid, screen = _grown(box, 0.72, 0.36, 0.72, 0.34), _grown(box, 0.66, 0.3, 0.66, 0.25)
    _shadow(plane, lid, max(4, side // 10))
    _slab(plane, lid, side // 24, (58, 56, 54))
    cv2.rectangle(plane, screen[:2], screen[2:], (255, 255, 255), -1)
    cv2.rectangle(plane, screen[:2], (screen[2], screen[1] + side // 12), (214, 208, 204), -1)
    for place, colour in enumerate(((86, 95, 237), (80, 190, 245), (86, 200, 98))):
        at = (screen[0] + side // 24 + place * side // 18, screen[1] + side // 24)
        cv2.circle(plane, at, max(1, side // 60), colour, -1, cv2.LINE_AA)
    address = (screen[0] + side // 4, screen[1] + side // 60, screen[2] - side // 4, screen[1] + side // 15)
    _slab(plane, address, side // 50, (250, 250, 250))
    _write(plane, "Confirm it is you", (middle, box[1] - side // 16), side / 18, (70, 50, 40))
    for left in (screen[0] + side // 16, box[2] + side // 12):
        for line, width in enumerate((0.4, 0.46, 0.33, 0.44, 0.2)):
            y = box[1] + side // 6 + line * side // 11
            _slab(plane, (left, y, left + round(width * side), y + side // 34), side // 80, (206, 202, 198))
    base = (lid[0] - side // 10, lid[3], lid[2] + side // 10, lid[3] + side // 9)
    _slab(plane, base, side // 40, (160, 158, 156))


def _badge(plane: Image, box: Box) -> None:
    """A printed staff card on a band."""
    side, middle = box[2] - box[0], (box[0] + box[2]) // 2
    card = _grown(box, 0.16, 0.42, 0.16, 0.36)
    for left in (middle - side // 4, middle + side // 6):
        band = np.array(
            [(left, 0), (left + side // 10, 0), (middle + side // 24, card[1]), (middle - side // 24, card[1])]
        )
        cv2.fillPoly(plane, [band.astype(np.int32)], (150, 84, 30), cv2.LINE_AA)
    _shadow(plane, card, max(4, side // 12))
    _slab(plane, card, side // 14, (255, 255, 255))
    _slab(plane, (card[0], card[1], card[2], card[1] + side // 5), side // 14, (150, 84, 30))
    cv2.rectangle(plane, (card[0], card[1] + side // 8), (card[2], card[1] + side // 5), (150, 84, 30), -1)
    _slab(
        plane,
        (middle - side // 10, card[1] + side // 28, middle + side // 10, card[1] + side // 12),
        side // 40,
        (70, 62, 56),
    )
    _write(plane, "Northwind Hospital", (middle, card[1] + side // 3), side / 22, (70, 60, 50))
    _write(plane, "A. Keller", (middle, box[3] + side // 7), side / 15, (40, 36, 32))
    _write(plane, "Ward 4", (middle, box[3] + side // 4), side / 24, (120, 112, 104))


def _paper(plane: Image, box: Box) -> None:
    """A sheet of paper with nothing else on it."""
    sheet = _grown(box, 0.15, 0.15, 0.15, 0.15)
    _shadow(plane, sheet, max(3, (box[2] - box[0]) // 30))
    cv2.rectangle(plane, sheet[:2], sheet[2:], (255, 255, 255), -1)


_SURFACES: dict[str, Callable[[int, int], Image]] = {"wood": _wood, "office": _office, "hall": _hall}
_CARRIERS: dict[str, Callable[[Image, Box], None]] = {
    "phone": _phone,
    "laptop": _laptop,
    "badge": _badge,
    "paper": _paper,
}
