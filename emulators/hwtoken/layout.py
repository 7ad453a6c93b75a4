"""Text on a panel: wrapping and paging that never drop a character of a value, and refuse what has no glyph."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from emulators.hwtoken.font import cell_of, load_font
from emulators.hwtoken.profile import Display
from emulators.hwtoken.screens import Line, Style


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to review: what it is called and what it says."""

    label: str
    value: str


class Unrenderable(ValueError):  # noqa: N818 - the protocol's own word for it (docs/reference/otq1.md)
    """The fonts of this panel lack ``characters``; what the user cannot read must not be confirmed."""

    def __init__(self, characters: tuple[str, ...]) -> None:
        self.characters = characters
        found = ", ".join(f"U+{ord(character):04X}" for character in characters)
        super().__init__(f"expected characters that the panel's fonts have, found {found}")


def font_of(style: Style, display: Display) -> str:
    """The name of the font in which ``display`` sets lines of ``style``."""
    return display.label_font if style is Style.LABEL else display.value_font


def wrap(text: str, columns: int) -> Iterator[tuple[str, bool]]:
    """Lines of at most ``columns`` characters, each with whether a word goes on in the next line.

    A line ends at its last space, which is the only character that is not drawn; a word longer than a line is broken and
    says so, since "1000 00" and "100000" must not look the same.
    """
    while len(text) > columns:
        space = text.rfind(" ", 1, columns + 1)
        if space > 0:
            yield text[:space], False
            text = text[space + 1 :]
        else:
            yield text[:columns], True
            text = text[columns:]
    yield text, False


def check_glyphs(entries: Sequence[Entry], display: Display) -> None:
    """Make sure that each character can be drawn in the font in which it would be.

    Raises:
        Unrenderable: naming those that cannot.
    """
    labels, values = load_font(display.label_font), load_font(display.value_font)
    missing = [c for entry in entries for c in labels.missing(entry.label) + values.missing(entry.value)]
    if missing:
        raise Unrenderable(tuple(dict.fromkeys(missing)))


def height_of(lines: Sequence[Line], display: Display) -> int:
    """Rows of dots that ``lines`` take, with a gap before every label but the first."""
    gaps = sum(1 for before, line in pairwise(lines) if starts_block(before, line))
    return gaps * 2 * display.unit + sum(cell_of(font_of(line.style, display))[1] for line in lines)


def starts_block(before: Line, line: Line) -> bool:
    """Whether ``line`` begins another entry than the line ``before`` it belongs to."""
    return line.style is Style.LABEL and before.style is Style.VALUE


def paginate(entries: Sequence[Entry], display: Display, *, one_a_page: bool = False) -> tuple[tuple[Line, ...], ...]:
    """The pages on which ``entries`` are read, at least one, in the order given.

    An entry is kept together where a page can hold it. A longer one starts its own page, and each page on which it goes on
    repeats its label after an ellipsis.

    Raises:
        Unrenderable: if a character has no glyph.
    """
    check_glyphs(entries, display)
    pages: list[tuple[Line, ...]] = []
    for entry in entries:
        block = _set(entry.label, Style.LABEL, display) + _set(entry.value, Style.VALUE, display)
        if pages and not one_a_page and height_of(pages[-1] + block, display) <= display.body_height:
            pages[-1] += block
        else:
            pages.extend(_split(block, _set(f"...{entry.label}", Style.LABEL, display)[:1], display))
    return tuple(pages) or ((),)


def _set(text: str, style: Style, display: Display) -> tuple[Line, ...]:
    columns = display.columns(font_of(style, display))
    return tuple(Line(part, style, broken) for part, broken in wrap(text, columns))


def _split(block: tuple[Line, ...], heading: tuple[Line, ...], display: Display) -> Iterator[tuple[Line, ...]]:
    """``block`` cut into pages, the second and later ones under ``heading``."""
    page: tuple[Line, ...] = ()
    for line in block:
        if height_of((*page, line), display) > display.body_height:
            yield page
            page = heading if line.style is Style.VALUE else ()
        page += (line,)
    yield page
