"""Turn a bitmap font in BDF form into the glyph file that the token's display reads (``emulators/hwtoken/fonts/*.hex``).

The fonts that we ship come from Debian's ``xfonts-base`` and were made like this (``pcf2bdf`` is a Debian package too)::

    for f in 5x8 6x12 9x15B 10x20; do
        pcf2bdf /usr/share/fonts/X11/misc/$f.pcf.gz | python3 tools/fonts_from_bdf.py $f > emulators/hwtoken/fonts/$f.hex
    done

The output has one glyph a line, ``code point:rows``, every row padded to whole bytes, as GNU Unifont's own format; the
comment lines at its head name source, licence and cell. A glyph is left out where a panel that draws one cell after the
other, left to right, would show something else than the character means: controls and other invisible characters,
combining marks, right-to-left letters, private use, and cells without ink that are no space. So "the font has a glyph"
means "the reader can see it". Only fonts that say of themselves that they are in the public domain are taken.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator

KEPT_BLOCKS = ((0x0020, 0x058F), (0x1E00, 0x1FFF), (0x2000, 0x22FF))
"""Latin, Greek, Cyrillic and Armenian; Latin and Greek with more accents; punctuation, currencies, arrows, mathematics."""

READABLE = re.compile(r"L[ultmo]|N[dlo]|P[cdseifo]|S[mcko]|Zs")
RIGHT_TO_LEFT = {"R", "AL", "AN"}


def shows_itself(code_point: int, rows: list[int]) -> bool:
    """Whether a left-to-right cell with these ``rows`` shows this character and nothing else."""
    character = chr(code_point)
    category = unicodedata.category(character)
    return (
        any(first <= code_point <= last for first, last in KEPT_BLOCKS)
        and READABLE.fullmatch(category) is not None
        and unicodedata.bidirectional(character) not in RIGHT_TO_LEFT
        and any(rows) != (category == "Zs")
    )


def glyphs(bdf: str, cell: tuple[int, int, int, int]) -> Iterator[tuple[int, list[int]]]:
    """Code point and rows (integers, leftmost pixel in the highest bit of whole bytes) of each glyph, in its full cell."""
    width, height, left, bottom = cell
    bits = (width + 7) // 8 * 8
    for block in re.findall(r"^ENCODING (\d+)\n(.*?)^ENDCHAR", bdf, re.MULTILINE | re.DOTALL):
        code_point, body = int(block[0]), block[1]
        box = re.search(r"^BBX (\d+) (\d+) (-?\d+) (-?\d+)$", body, re.MULTILINE)
        if box is None:
            raise ValueError(f"U+{code_point:04X}: expected a BBX line, found none")
        w, h, x, y = (int(number) for number in box.groups())
        above, before = height + bottom - (h + y), x - left
        if min(above, before) < 0 or above + h > height or before + w > width:
            raise ValueError(f"U+{code_point:04X}: expected a glyph inside the {width}x{height} cell, found {w}x{h}")
        drawn = [int(row, 16) for row in body.partition("BITMAP\n")[2].split()]
        shift = bits - (w + 7) // 8 * 8 - before
        placed = [row << shift if shift >= 0 else row >> -shift for row in drawn]
        yield code_point, [0] * above + placed + [0] * (height - above - h)


def convert(name: str, bdf: str) -> Iterator[str]:
    """The lines of the glyph file; raises ValueError where the font is not what we may or can take."""

    def said(pattern: str) -> tuple[str, ...]:
        found = re.search(pattern, bdf, re.MULTILINE)
        if found is None:
            raise ValueError(f"{name}: expected a line like {pattern!r} in the BDF text, found none")
        return found.groups()

    (xlfd,), (licence,) = said(r"^FONT (.+)$"), said(r'^COPYRIGHT "(.*)"$')
    width, height, left, bottom = (int(number) for number in said(r"^FONTBOUNDINGBOX (\d+) (\d+) (-?\d+) (-?\d+)$"))
    if "public domain" not in licence.lower() or not xlfd.upper().endswith("ISO10646-1"):
        raise ValueError(f"{name}: expected a public domain ISO10646-1 font, found {licence!r}, {xlfd}")
    yield f"# name: {name}"
    yield f"# source: {xlfd} (Debian xfonts-base, {name}.pcf.gz, by tools/fonts_from_bdf.py)"
    yield f"# licence: {licence}"
    yield f"# cell: {width} {height}"
    digits = (width + 7) // 8 * 2
    for code_point, rows in sorted(glyphs(bdf, (width, height, left, bottom))):
        if shows_itself(code_point, rows):
            yield f"{code_point:04X}:" + "".join(f"{row:0{digits}X}" for row in rows)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: pcf2bdf FONT.pcf.gz | fonts_from_bdf.py NAME > NAME.hex")
    try:
        print("\n".join(convert(sys.argv[1], sys.stdin.read())))
    except ValueError as problem:
        sys.exit(str(problem))
