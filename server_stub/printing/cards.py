"""Badge cards: the size of a bank card, ten on a sheet of A4, with marks along which to cut."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from server_stub.printing import font
from server_stub.printing.drawing import A4, Line, Mark, Page, Symbol, Text, quiet_zone

WIDTH, HEIGHT = 85.6, 54.0
"""ID-1 of ISO/IEC 7810."""
COLUMNS, ROWS = 2, 5
ON_A_SHEET = COLUMNS * ROWS
CODE = 35.0
MARGIN = 3.0
MARK_GAP, MARK = 2.0, 4.0
LARGEST_NAME, SMALLEST_NAME = 5.0, 2.6
NAME_LINES = 3


@dataclass(frozen=True, slots=True)
class Card:
    """A badge: whose, what for, what else stands on it, and the text of its code."""

    name: str
    title: str
    lines: tuple[str, ...]
    content: str = field(repr=False)


def sheets(cards: Sequence[Card]) -> list[Page]:
    """As many sheets as the cards need.

    Raises:
        PrintError: if a card's content is too much for a QR code.
    """
    return [_sheet(cards[begin : begin + ON_A_SHEET]) for begin in range(0, len(cards), ON_A_SHEET)]


def _sheet(cards: Sequence[Card]) -> Page:
    left, top = (A4[0] - COLUMNS * WIDTH) / 2, (A4[1] - ROWS * HEIGHT) / 2
    marks = _cut_marks(left, top)
    for number, card in enumerate(cards):
        row, column = divmod(number, COLUMNS)
        marks += _card(card, left + column * WIDTH, top + row * HEIGHT)
    return tuple(marks)


def _cut_marks(left: float, top: float) -> list[Mark]:
    """Outside the cards, at the ends of every line that is cut."""
    right, bottom = left + COLUMNS * WIDTH, top + ROWS * HEIGHT
    marks: list[Mark] = []
    for x in (left + column * WIDTH for column in range(COLUMNS + 1)):
        marks += [
            Line(x, top - MARK_GAP - MARK, x, top - MARK_GAP),
            Line(x, bottom + MARK_GAP, x, bottom + MARK_GAP + MARK),
        ]
    for y in (top + row * HEIGHT for row in range(ROWS + 1)):
        marks += [
            Line(left - MARK_GAP - MARK, y, left - MARK_GAP, y),
            Line(right + MARK_GAP, y, right + MARK_GAP + MARK, y),
        ]
    return marks


def _card(card: Card, left: float, top: float) -> list[Mark]:
    zone = quiet_zone(card.content, CODE)
    x = left + MARGIN + zone + CODE + zone
    room = left + WIDTH - MARGIN - x
    marks: list[Mark] = [Symbol(left + MARGIN + zone, top + (HEIGHT - CODE) / 2, CODE, card.content)]
    y = top + MARGIN + zone
    for line in font.wrap(card.title, 3, room):
        y += 4
        marks.append(Text(x, y, 3, line))
    size, lines = _fitting(card.name, room)
    y += 2
    for line in lines:
        y += size * 1.2
        marks.append(Text(x, y, size, line, bold=True))
    y += 1
    for each in card.lines:
        for line in font.wrap(each, 2.6, room):
            y += 3.6
            marks.append(Text(x, y, 2.6, line))
    return marks


def _fitting(name: str, room: float) -> tuple[float, list[str]]:
    """The largest letters in which a name needs few lines and is not broken within a word, down to the smallest there are."""
    size = LARGEST_NAME
    while size > SMALLEST_NAME:
        lines = font.wrap(name, size, room, bold=True)
        if len(lines) <= NAME_LINES and " ".join(lines) == " ".join(name.split()):
            return size, lines
        size = round(size - 0.2, 1)
    return SMALLEST_NAME, font.wrap(name, SMALLEST_NAME, room, bold=True)
