"""The font on paper: which letters it has, and how wide they are. It comes with this package, so nothing depends on the machine."""

from functools import cache
from pathlib import Path

from server_stub.printing.errors import PrintError

FAMILY = "DejaVu Sans"
FOLDER = Path(__file__).with_name("fonts")
FILES = {False: FOLDER / "DejaVuSans.ttf", True: FOLDER / "DejaVuSans-Bold.ttf"}
"""By whether it is bold."""


@cache
def _widths(*, bold: bool) -> dict[int, float]:
    """The width of each letter, as a part of the size, by its code point."""
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # noqa: PLC0415 - few print; and it has no types

    with TTFont(FILES[bold]) as font:
        units, widths = font["head"].unitsPerEm, font["hmtx"]
        return {point: widths[name][0] / units for point, name in font.getBestCmap().items()}


def require_letters(text: str) -> None:
    """Refuse what would be printed as boxes.

    Raises:
        PrintError: if the font has no picture of one of the letters, or could not put it where it belongs.
    """
    known = _widths(bold=False)
    for letter in text:
        if ord(letter) not in known:
            raise PrintError(
                f"the font for PDF has no {letter!a} (Latin, Greek and Cyrillic letters only): print it as SVG, "
                "which the viewer draws with its own fonts"
            )


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide ``text`` is at ``size``, in the unit of ``size``; letters that the font does not have count as wide ones."""
    known = _widths(bold=bold)
    return size * sum(known.get(ord(letter), 1.0) for letter in text)


def wrap(text: str, size: float, room: float, *, bold: bool = False) -> list[str]:
    """``text`` in lines that are at most ``room`` wide: between words, or within one that is wider than a line."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if width(longer, size, bold=bold) <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        line = ""
        for letter in word:
            if line and width(line + letter, size, bold=bold) > room:
                lines.append(line)
                line = ""
            line += letter
    return [*lines, line] if line else lines
