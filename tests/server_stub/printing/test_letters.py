"""Letters as they come out of a printer."""

from server_stub.printing import pdf, svg
from server_stub.printing.drawing import A4, Symbol, Text
from server_stub.printing.font import width
from server_stub.printing.letters import MARGIN, Letter, pages
from tests.server_stub.printing.paper import rasterize, read_all, words_of

NOW = 1_767_603_600.0
LETTER = Letter(
    "Authrig",
    "Žofia Größer",
    "Activate your app",
    ("With this letter you activate an app with which you log in. " * 3,),
    ("Open the app.", "Hold the phone before the code. " * 6, "Type the digits if it has no camera."),
    "authrig://activate?code=0123456789abcdef0123456789abcdef",
    "1234 5678 9012 3456",
    "Or type",
    "Good until 2027-01-31. Nobody of us asks you for this code.",
)


def test_a_letter_has_its_words_and_a_code_that_reads() -> None:
    """On one page."""
    written = pdf.write(pages(LETTER), "Letter", NOW)
    [page] = rasterize(written)
    assert read_all(page) == [LETTER.content.encode()]
    text = words_of(written)
    for words in (LETTER.name, LETTER.title, LETTER.digits, "Open the app.", "Good until 2027-01-31."):
        assert words in text


def test_nothing_stands_outside_the_margins() -> None:
    """Nor on the code."""
    [page] = pages(LETTER)
    code = next(mark for mark in page if isinstance(mark, Symbol))
    for mark in page:
        if isinstance(mark, Text):
            assert mark.x >= MARGIN
            assert mark.x + width(mark.words, mark.size, bold=mark.bold) <= A4[0] - MARGIN + 0.1
            assert mark.y <= A4[1] - MARGIN + 5
            assert not code.y - 4 < mark.y < code.y + code.side + 4


def test_a_letter_without_a_code_is_a_letter() -> None:
    """For a token that is not activated, only announced."""
    plain = Letter("Authrig", "Bob", "Your token", ("It is QT1-1.",), ())
    [page] = pages(plain)
    assert not [mark for mark in page if isinstance(mark, Symbol)]
    assert b"QT1-1" in svg.write(page, "Letter")


def test_the_code_stands_in_no_repr() -> None:
    """It is good for whoever has it."""
    assert "abcdef" not in repr(LETTER) + repr(pages(LETTER))
    assert "9012" not in repr(LETTER)
