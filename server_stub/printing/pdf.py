"""Pages as PDF."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from server_stub.printing import font
from server_stub.printing.drawing import A4, Line, Page, Symbol, Text

if TYPE_CHECKING:
    from fpdf import FPDF

POINTS = 72 / 25.4
"""In a millimetre."""
HAIRLINE = 0.1


def write(pages: Sequence[Page], title: str, now: float) -> bytes:
    """The pages as a PDF of A4, with the font in it.

    Args:
        pages: what stands on them.
        title: the document's, as viewers show it.
        now: when it was made, in seconds since 1970.

    Raises:
        PrintError: if the font lacks a letter, or a code holds too much.
    """
    from fpdf import FPDF  # noqa: PLC0415 - it takes half a second, and a server that prints nothing starts without it

    for page in pages:
        for mark in page:
            if isinstance(mark, Text):
                font.require_letters(mark.words)
    document = FPDF(unit="mm", format=A4)
    document.set_title(title)
    document.set_creation_date(datetime.fromtimestamp(now, UTC))
    document.set_auto_page_break(auto=False)
    document.set_line_width(HAIRLINE)
    for bold, path in font.FILES.items():
        document.add_font(font.FAMILY, "B" if bold else "", path)
    for page in pages:
        document.add_page()
        for mark in page:
            _draw(document, mark)
    return bytes(document.output())


def _draw(document: "FPDF", mark: Text | Line | Symbol) -> None:
    if isinstance(mark, Text):
        document.set_font(font.FAMILY, "B" if mark.bold else "", mark.size * POINTS)
        document.text(mark.x, mark.y, mark.words)
    elif isinstance(mark, Line):
        document.line(mark.x1, mark.y1, mark.x2, mark.y2)
    else:
        # One path for the whole code: parts that are filled one after the other show fine white lines between them.
        with document.new_path() as path:
            path.style.fill_color = "#000000"
            path.style.stroke_color = None
            for x, y, width, height in mark.runs():
                path.rectangle(x, y, width, height)
