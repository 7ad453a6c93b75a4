"""An activation letter: what to do, a code to scan, and digits to type where nothing can be scanned."""

from dataclasses import dataclass, field

from server_stub.printing import font
from server_stub.printing.drawing import A4, Line, Mark, Page, Symbol, Text

MARGIN = 25.0
CODE = 50.0
SIZE, LEADING = 4.0, 6.0


@dataclass(frozen=True, slots=True)
class Letter:
    """To one person; ``content`` is the text of its QR code and ``digits`` what is typed instead, empty for none."""

    sender: str
    name: str
    title: str
    paragraphs: tuple[str, ...]
    steps: tuple[str, ...]
    content: str = field(default="", repr=False)
    digits: str = field(default="", repr=False)
    digits_label: str = ""
    footer: str = ""


def pages(letter: Letter) -> list[Page]:
    """The letter, on one sheet of A4.

    Raises:
        PrintError: if its content is too much for a QR code.
    """
    room = A4[0] - 2 * MARGIN
    marks: list[Mark] = [Text(MARGIN, MARGIN, SIZE, letter.sender, bold=True)]
    y = MARGIN + 3 * LEADING
    marks.append(Text(MARGIN, y, SIZE, letter.name))
    y += 3 * LEADING
    for line in font.wrap(letter.title, 6, room, bold=True):
        marks.append(Text(MARGIN, y, 6, line, bold=True))
        y += 8
    y += 2
    for paragraph in letter.paragraphs:
        y = _paragraph(marks, paragraph, MARGIN, y, room) + 2
    for number, step in enumerate(letter.steps, 1):
        marks.append(Text(MARGIN, y, SIZE, f"{number}."))
        y = _paragraph(marks, step, MARGIN + 7, y, room - 7) + 1
    y += 4
    if letter.content:
        marks.append(Symbol(MARGIN + 8, y, CODE, letter.content))
        y += CODE + 14
    if letter.digits:
        marks += [
            Text(MARGIN, y, SIZE, letter.digits_label),
            Text(MARGIN, y + 9, 8, letter.digits, bold=True),
        ]
    end = A4[1] - MARGIN
    marks.append(Line(MARGIN, end - LEADING, A4[0] - MARGIN, end - LEADING))
    _paragraph(marks, letter.footer, MARGIN, end, room, size=3)
    return [tuple(marks)]


def _paragraph(marks: list[Mark], words: str, x: float, y: float, room: float, *, size: float = SIZE) -> float:  # noqa: PLR0913 - where, how wide, how large
    """Append the lines of ``words``; where the next one would be."""
    for line in font.wrap(words, size, room):
        marks.append(Text(x, y, size, line))
        y += LEADING * size / SIZE
    return y
