"""Badge cards as they come out of a printer."""

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from server_stub.printing import pdf, svg
from server_stub.printing.cards import CODE, HEIGHT, ON_A_SHEET, WIDTH, Card, sheets
from server_stub.printing.drawing import Line, Symbol, Text, quiet_zone
from server_stub.printing.errors import PrintError
from server_stub.printing.font import width
from tests.codes import read_patiently
from tests.server_stub.printing.paper import (
    PIXELS,
    card_of,
    cut_out,
    draw_codes_of_svg,
    place_of_card,
    rasterize,
    read_all,
    words_of,
)

NOW = 1_767_603_600.0
SECURE = "AQB1:" + "%69 VD" * 13
NAMES = [
    "Žofia Größer",
    "Łukasz Çelik-Ő",
    "Ελένη Παπαδοπούλου",
    "Дмитрий Щукин",
    "m" * 64,
    "a",
    "First Second Third Fourth Fifth",
]


def card(name: str = "alice", content: str = SECURE) -> Card:
    """A badge for the classroom."""
    return Card(name, "Authrig", ("Badge", "Good until 2027-01-31"), content)


def test_every_card_of_a_full_sheet_reads_as_its_own() -> None:
    """Cut along the marks, each has one code, and it is the right one."""
    contents = [f"AQB1:{number:04}{'%69' * 20}" for number in range(ON_A_SHEET + 1)]
    pages = rasterize(pdf.write(sheets([card(content=each) for each in contents]), "Badges", NOW))
    assert len(pages) == 2
    for number, content in enumerate(contents):
        assert read_all(card_of(pages[number // ON_A_SHEET], number % ON_A_SHEET)) == [content.encode()]


def test_the_code_is_35_mm_and_has_its_quiet_zone() -> None:
    """Measured on the raster: the dark square is 35 mm, and four modules around it are white, whatever the name is."""
    zone = quiet_zone(SECURE, CODE)
    assert zone >= 4 * CODE / len(Symbol(0, 0, CODE, SECURE).modules)
    [page] = rasterize(pdf.write(sheets([card("W" * 64)]), "Badges", NOW))
    [read] = read_patiently(page)
    left, top = read.corners[0]
    right, bottom = read.corners[2]
    side = math.hypot(right - left, bottom - top) / math.sqrt(2) / PIXELS
    assert side == pytest.approx(CODE, abs=0.5)
    x, y = left / PIXELS, top / PIXELS
    for strip in (
        (x - zone + 0.3, y - zone + 0.3, CODE + 2 * zone - 0.6, zone - 0.6),
        (x - zone + 0.3, y + CODE + 0.3, CODE + 2 * zone - 0.6, zone - 0.6),
        (x - zone + 0.3, y - zone + 0.3, zone - 0.6, CODE + 2 * zone - 0.6),
        (x + CODE + 0.3, y - zone + 0.3, zone - 0.6, CODE + 2 * zone - 0.6),
    ):
        assert cut_out(page, *strip).min() == 255


def test_the_rows_of_a_printed_code_leave_no_white_between_them() -> None:
    """The corner pattern's frame is black from end to end, as it would not be if each row were filled by itself."""
    mark = next(each for each in sheets([card()])[0] if isinstance(each, Symbol))
    [page] = rasterize(pdf.write(sheets([card()]), "Badges", NOW))
    module = CODE / len(mark.modules)
    frame = cut_out(page, mark.x + 0.2 * module, mark.y + 0.2 * module, 0.6 * module, 6.6 * module)
    assert frame.max() < 40


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_printed_as_it_is_and_stays_on_its_card(name: str) -> None:
    """All letters can be copied out of the PDF, and no line ends beyond the edge or beneath it."""
    page = sheets([card(name)])[0]
    left, top = place_of_card(0)
    for mark in page:
        if isinstance(mark, Text):
            assert mark.x + width(mark.words, mark.size, bold=mark.bold) <= left + WIDTH - 2.9
            assert top < mark.y < top + HEIGHT - 1
    text = words_of(pdf.write([page], "Badges", NOW))
    assert name.replace(" ", "") in text.replace(" ", "")


@pytest.mark.parametrize("name", ["محمد", "山田太郎", "🔑", "a\x07b"])
def test_letters_that_the_font_lacks_are_refused_in_pdf(name: str) -> None:
    """Not printed as boxes; the sentence says what does print them."""
    with pytest.raises(PrintError, match="SVG") as caught:
        pdf.write(sheets([card(name)]), "Badges", NOW)
    assert SECURE not in str(caught.value)


@pytest.mark.parametrize("name", ["محمد", "山田太郎", "<script>&\"'", "Žofia Größer"])
def test_svg_has_every_alphabet_as_text(name: str) -> None:
    """It is well-formed, and loads nothing from anywhere."""
    written = svg.write(sheets([card(name)])[0], "Badges").decode()
    root = ET.fromstring(written)  # noqa: S314 - our own
    assert name in ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert written.count("http") == 1
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


def test_the_codes_of_an_svg_read() -> None:
    """Its paths, drawn."""
    written = svg.write(sheets([card(), card(content="AQB1:OTHER")])[0], "Badges").decode()
    assert set(read_all(draw_codes_of_svg(written))) == {SECURE.encode(), b"AQB1:OTHER"}


def test_control_characters_are_refused_in_svg() -> None:
    """They would make it no XML at all."""
    with pytest.raises(PrintError):
        svg.write(sheets([card("a\x00b")])[0], "Badges")


def test_marks_are_outside_the_cards_and_in_line_with_their_edges() -> None:
    """Two for every line that is cut."""
    lines = [mark for mark in sheets([card()])[0] if isinstance(mark, Line)]
    assert len(lines) == 2 * (3 + 6)
    (left, top), edge = place_of_card(0), 1e-6
    right, bottom = left + 2 * WIDTH, top + 5 * HEIGHT
    for line in lines:
        assert line.x2 <= left - 1 or line.x1 >= right + 1 or line.y2 <= top - 1 or line.y1 >= bottom + 1
        if abs(line.x1 - line.x2) < edge:
            assert np.isclose((line.x1 - left) % WIDTH, [0, WIDTH]).any()
        else:
            assert np.isclose((line.y1 - top) % HEIGHT, [0, HEIGHT]).any()


def test_what_does_not_fit_into_a_code_is_refused() -> None:
    """With one sentence, which does not quote it."""
    with pytest.raises(PrintError, match="too much") as caught:
        sheets([card(content="x" * 5000)])
    assert "xxx" not in str(caught.value)


def test_a_code_stands_in_no_repr() -> None:
    """A secure badge is a credential."""
    assert SECURE not in repr(card())
    assert SECURE not in repr(sheets([card()]))
