"""Paper in the tests: a PDF or SVG as the picture that a printer makes of it."""

import re

import cv2
import numpy as np
import pypdfium2  # type: ignore[import-untyped]  # it has none

from emulators.camera_scanner.frames import Image
from server_stub.printing.cards import COLUMNS, HEIGHT, ROWS, WIDTH
from server_stub.printing.drawing import A4
from tests.codes import read_patiently

DPI = 300
PIXELS = DPI / 25.4
"""In a millimetre."""


def rasterize(pdf: bytes) -> list[Image]:
    """The pages in gray, at 300 dots to an inch."""
    document = pypdfium2.PdfDocument(pdf)
    pictures = [np.asarray(page.render(scale=DPI / 72, grayscale=True).to_numpy()) for page in document]
    document.close()
    return [picture.reshape(picture.shape[:2]).astype(np.uint8) for picture in pictures]


def words_of(pdf: bytes) -> str:
    """The text that can be copied out of it."""
    document = pypdfium2.PdfDocument(pdf)
    words = " ".join(page.get_textpage().get_text_bounded() for page in document)
    document.close()
    return " ".join(words.split())


def cut_out(picture: Image, x: float, y: float, width: float, height: float) -> Image:
    """A part of a page, by its place in millimetres."""
    left, top, right, bottom = (round(each * PIXELS) for each in (x, y, x + width, y + height))
    return np.ascontiguousarray(picture[top:bottom, left:right])


def draw_codes_of_svg(svg: str, pixels: float = 8.0) -> Image:
    """What an SVG's paths draw, at ``pixels`` in a millimetre."""
    picture = np.full((round(297 * pixels), round(210 * pixels)), 255, np.uint8)
    for x, y, width, height in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-[\d.]+z", svg):
        left, top = float(x) * pixels, float(y) * pixels
        corners = (
            (round(left), round(top)),
            (round(left + float(width) * pixels) - 1, round(top + float(height) * pixels) - 1),
        )
        cv2.rectangle(picture, *corners, 0, cv2.FILLED)
    return picture


def read_all(picture: Image) -> list[bytes]:
    """What the codes in it say."""
    return [each.data for each in read_patiently(picture)]


def place_of_card(number: int) -> tuple[float, float]:
    """Where the card of that number is on its sheet, in millimetres."""
    row, column = divmod(number, COLUMNS)
    return (A4[0] - COLUMNS * WIDTH) / 2 + column * WIDTH, (A4[1] - ROWS * HEIGHT) / 2 + row * HEIGHT


def card_of(sheet: Image, number: int) -> Image:
    """A card, cut out along the marks."""
    return cut_out(sheet, *place_of_card(number), WIDTH, HEIGHT)
