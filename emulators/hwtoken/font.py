"""Bitmap fonts with known coverage: what has no glyph here, the token cannot show and must not sign."""

import functools
import re
from importlib import resources

import numpy as np
from numpy.typing import NDArray

FONT_NAME = re.compile(r"([0-9]{1,2})x([0-9]{1,2})B?")


class FontError(ValueError):
    """A font that does not exist or whose file is damaged; the sentence says which and where."""


class Font:
    """A fixed-cell font: ``width`` x ``height`` pixels for each character that it has."""

    def __init__(self, name: str, width: int, height: int, rows: dict[str, str]) -> None:
        self.name = name
        self.width = width
        self.height = height
        self._rows = rows
        self._drawn: dict[str, NDArray[np.uint8]] = {}

    def __contains__(self, character: str) -> bool:
        return character in self._rows

    @property
    def coverage(self) -> frozenset[str]:
        """Every character that has a glyph."""
        return frozenset(self._rows)

    def missing(self, text: str) -> tuple[str, ...]:
        """The characters of ``text`` without a glyph, each once, in order."""
        return tuple(dict.fromkeys(character for character in text if character not in self._rows))

    def glyph(self, character: str) -> NDArray[np.uint8]:
        """The cell of ``character``, shape (height, width), 1 where there is ink; do not write to it.

        Raises:
            KeyError: if the font has no such glyph.
        """
        drawn = self._drawn.get(character)
        if drawn is None:
            rows = np.frombuffer(bytes.fromhex(self._rows[character]), np.uint8).reshape(self.height, -1)
            drawn = self._drawn[character] = np.unpackbits(rows, axis=1)[:, : self.width]
        return drawn

    def draw(self, text: str) -> NDArray[np.uint8]:
        """``text`` in one line, shape (height, width * len(text)), 1 where there is ink.

        Raises:
            KeyError: if the font lacks a glyph; ask ``missing`` first.
        """
        if not text:
            return np.zeros((self.height, 0), np.uint8)
        return np.hstack([self.glyph(character) for character in text])


@functools.cache
def font_names() -> tuple[str, ...]:
    """The fonts that are shipped."""
    files = resources.files("emulators.hwtoken").joinpath("fonts").iterdir()
    return tuple(sorted(file.name.removesuffix(".hex") for file in files if file.name.endswith(".hex")))


def cell_of(name: str) -> tuple[int, int]:
    """Width and height in dots of one character of the font ``name``, which says so: "6x10".

    Raises:
        FontError: if ``name`` is no such name.
    """
    found = FONT_NAME.fullmatch(name)
    if found is None:
        raise FontError(f"expected a font name such as 6x10 or 9x15B, found {name!r}")
    return int(found[1]), int(found[2])


@functools.cache
def load_font(name: str) -> Font:
    """The font that is shipped as ``fonts/NAME.hex``; read once, glyphs are unpacked when first drawn.

    Raises:
        FontError: if there is no such font, or its file is not what tools/fonts_from_bdf.py writes.
    """
    if name not in font_names():
        raise FontError(f"expected one of the fonts {', '.join(font_names())}, found {name!r}")
    return parse_font(name, resources.files("emulators.hwtoken").joinpath("fonts", f"{name}.hex").read_text("ascii"))


def parse_font(name: str, text: str) -> Font:
    """Read a glyph file: comment lines that begin with ``#``, then ``code point:rows`` in hexadecimal, one glyph a line.

    Raises:
        FontError: naming the first line that is no glyph of the cell that ``name`` promises.
    """
    width, height = cell_of(name)
    digits = (width + 7) // 8 * 2 * height
    glyph = re.compile(rf"([0-9A-F]{{4,6}}):([0-9A-F]{{{digits}}})")
    rows: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            continue
        found = glyph.fullmatch(line)
        if found is None:
            raise FontError(
                f"font {name}, line {number}: expected CODE POINT:{digits} hexadecimal digits, found {line!r}"
            )
        rows[chr(int(found[1], 16))] = found[2]
    return Font(name, width, height, rows)
