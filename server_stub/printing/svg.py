"""A page as SVG: for viewers that have fonts of their own, for every alphabet, and without any from a network."""

from xml.sax.saxutils import escape

from server_stub.printing import font
from server_stub.printing.drawing import A4, Line, Page, Symbol, Text
from server_stub.printing.errors import PrintError

HAIRLINE = 0.1


def write(page: Page, title: str) -> bytes:
    """The page as an SVG of A4's size.

    Raises:
        PrintError: if a text holds what is not printed at all, or a code holds too much.
    """
    width, height = (f"{side:g}" for side in A4)
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}">',
        f"<title>{_words(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *(_mark(mark) for mark in page),
        "</svg>",
    ]
    return ("\n".join(rows) + "\n").encode()


def _mark(mark: Text | Line | Symbol) -> str:
    if isinstance(mark, Text):
        weight = ' font-weight="bold"' if mark.bold else ""
        place = f'x="{mark.x:.2f}" y="{mark.y:.2f}" font-size="{mark.size:g}"'
        return f'<text {place} font-family="{font.FAMILY}, sans-serif"{weight}>{_words(mark.words)}</text>'
    if isinstance(mark, Line):
        ends = f'x1="{mark.x1:.2f}" y1="{mark.y1:.2f}" x2="{mark.x2:.2f}" y2="{mark.y2:.2f}"'
        return f'<line {ends} stroke="#000" stroke-width="{HAIRLINE}"/>'
    parts = "".join(f"M{x:.3f} {y:.3f}h{width:.3f}v{height:.3f}h-{width:.3f}z" for x, y, width, height in mark.runs())
    return f'<path d="{parts}" fill="#000"/>'


def require_printable(text: str) -> None:
    """Refuse what no viewer prints.

    Raises:
        PrintError: for control characters and the like.
    """
    if not text.isprintable():
        raise PrintError("a text on the page holds characters that cannot be printed")


def _words(text: str) -> str:
    require_printable(text)
    return escape(text)
