"""What the cameras of the desk see: the webcam a badge or the token's display, the token's camera a picture on a panel."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from emulators.camera_scanner import optics
from emulators.camera_scanner.decoders import Corners
from emulators.camera_scanner.display_reader import DotMatrix
from emulators.camera_scanner.frames import Image
from emulators.camera_scanner.scene import fit
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import SeededRandom
from emulators.hwtoken.casing import PICTURE_WIDTH
from emulators.hwtoken.display import code_row, picture
from emulators.hwtoken.font import load_font
from emulators.hwtoken.profile import Profile, load_profile
from emulators.hwtoken.screens import Code, Screen

PROFILE = "dot_matrix_128x64"
FRAME = (640, 480)
_DESK = (1024, 768)
"""The part of the desk around the token, in pixels of its picture."""
_PANEL = (52, 68)
"""Where the panel begins in the picture of the device: its casing's side and top, and the rim."""
_STAND = optics.View(tilt=8, pan=-8, roll=2, zoom=0.92)
"""How the webcam's stand holds it over the token."""
_WOOD = (92, 138, 178)
_LABEL_AND_VALUE = (2, 4)
"""Columns of dots before a line, and characters of the currency before an amount."""


def profile() -> Profile:
    """The model of the token on the desk."""
    return load_profile(PROFILE)


def token_on_the_desk(screen: Screen, seed: int) -> Image:
    """What the webcam on its stand sees while the token shows ``screen``; ``seed`` is for the sensor's noise."""
    device = picture(screen, profile())
    desk = _desk().copy()
    left, top = _place_of(device)
    desk[top : top + device.shape[0], left : left + device.shape[1]] = device
    seen = optics.perspective(desk, _homography(), FRAME)
    seen = optics.lens_blur(seen, 0.6)
    seen = optics.vignette(seen, 0.25)
    return optics.sensor_noise(seen, 4, seed)


def held_up(code: Image, scene: str, seed: int) -> Image:
    """A photograph of a ``code`` that a hand holds before a camera, in a preset of the synthetic camera."""
    return SyntheticCamera(SeededRandom(seed), scene, FRAME).photograph(fit(code, FRAME[0]))


def code_corners() -> Corners:
    """Of the digits of a code, in the webcam's frame: what a person finds once, with a ruler in a picture of it."""
    return _corners(code_row(Code("0000 0000", "Type it to approve"), profile()).box)


def read_amount(frame: Image, digits: int) -> str | None:
    """The amount on the first page of a payment, without its currency; None where none is to be read."""
    display = profile().panel
    font, label = load_font(display.value_font), load_font(display.label_font)
    indent, currency = _LABEL_AND_VALUE
    left, top = indent + currency * font.width, display.bar_height + display.unit + label.height
    glyphs = {character: font.glyph(character).astype(bool) for character in "0123456789'."}
    row = _corners((left, top, left + digits * font.width, top + font.height))
    return DotMatrix(glyphs, digits).read(frame, row).code


def _corners(box: tuple[int, int, int, int]) -> Corners:
    """Where a ``box`` (left, top, right, bottom) of dots of the token's panel stands in the webcam's frame."""
    scale = PICTURE_WIDTH // profile().panel.width
    x, y = (begin + rim for begin, rim in zip(_place_of(_blank()), _PANEL, strict=True))
    left, top, right, bottom = (float(edge * scale) for edge in box)
    on_panel = [(left, top), (right, top), (right, bottom), (left, bottom)]
    seen = cv2.perspectiveTransform(np.array([on_panel]) + np.array((x, y)), _homography())[0]
    first, second, third, fourth = ((round(float(x), 1), round(float(y), 1)) for x, y in seen)
    return first, second, third, fourth


@functools.cache
def _blank() -> Image:
    return picture(Code("0000 0000", ""), profile())


def _place_of(device: Image) -> tuple[int, int]:
    return (_DESK[0] - device.shape[1]) // 2, (_DESK[1] - device.shape[0]) // 2


@functools.cache
def _homography() -> np.ndarray:
    return optics.pose(FRAME, _DESK, _STAND)


@functools.cache
def _desk() -> Image:
    """Wood, with the shadow of the token."""
    rng = np.random.default_rng(1)
    grain = cv2.resize(rng.integers(0, 256, (_DESK[1] // 3, 6), np.uint8), _DESK, interpolation=cv2.INTER_CUBIC)
    shade = 1 + 0.15 * (grain.astype(np.float32) - 128) / 128
    shadow = np.ones((_DESK[1], _DESK[0]), np.float32)
    (left, top), blank = _place_of(_blank()), _blank()
    shadow[top + 8 : top + 20 + blank.shape[0], left - 4 : left + 18 + blank.shape[1]] = 0.5
    light = shade * cv2.GaussianBlur(shadow, (0, 0), 9)
    return np.asarray((light[..., None] * np.array(_WOOD, np.float32)).clip(0, 255), np.uint8)
