"""What stands on a page of paper, in millimetres from its top left corner. PDF and SVG are two ways to write it down."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import segno

from server_stub.printing.errors import PrintError

A4 = (210.0, 297.0)
QUIET_ZONE = 4
"""Modules of white around a code (ISO/IEC 18004)."""


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; ``y`` is its base line."""

    x: float
    y: float
    size: float
    words: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A hairline."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Symbol:
    """A QR code of ``side`` millimetres without its quiet zone; ``x`` and ``y`` are where the first module is."""

    x: float
    y: float
    side: float
    content: str = field(repr=False)

    @cached_property
    def modules(self) -> tuple[bytes, ...]:
        """The rows of the code, 1 is dark.

        Raises:
            PrintError: if that is too much for a QR code.
        """
        try:
            made = segno.make(self.content, error="m", micro=False)
        except segno.DataOverflowError as error:
            raise PrintError("that is too much for a QR code") from error
        return tuple(bytes(row) for row in made.matrix)

    def runs(self) -> Iterator[tuple[float, float, float, float]]:
        """The dark parts: x, y, width and height."""
        module = self.side / len(self.modules)
        for number, row in enumerate(self.modules):
            column = 0
            while column < len(row):
                dark = row[column]
                begin = column
                while column < len(row) and row[column] == dark:
                    column += 1
                if dark:
                    yield (
                        self.x + begin * module,
                        self.y + number * module,
                        (column - begin) * module,
                        module,
                    )


Mark = Text | Line | Symbol
Page = tuple[Mark, ...]


def quiet_zone(content: str, side: float) -> float:
    """How much white a code of ``side`` needs on every side."""
    return QUIET_ZONE * side / len(Symbol(0, 0, side, content).modules)
