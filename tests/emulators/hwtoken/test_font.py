import time
from importlib.resources import files

import pytest

from emulators.hwtoken.font import FontError, cell_of, font_names, load_font, parse_font


@pytest.mark.parametrize("name", font_names())
def test_the_fonts_have_what_a_european_bank_prints(name: str) -> None:
    """Umlauts, the euro sign, Greek and Cyrillic, typographic quotes; no CJK, so 東 must be refused."""
    font = load_font(name)
    assert font.missing("Müller & Söhne AG, Zürich, CHF 1'250.00 €") == ()
    assert font.missing("Ωραία Москва Łódź «…»") == ()
    assert font.missing("東京 東") == ("東", "京")


@pytest.mark.parametrize("name", font_names())
@pytest.mark.parametrize(
    "hidden",
    ["\u0308", "\u200b", "\u202e", "\u00ad", "\u2028", "\ufeff", "\u05d0", "\u0627", "\ue000", "\u115f", "\n", "\x00"],
    ids=lambda character: f"U+{ord(character):04X}",
)
def test_what_one_cannot_see_has_no_glyph(name: str, hidden: str) -> None:
    """Combining, zero-width, right-to-left, private and control characters count as missing."""
    assert hidden not in load_font(name)


@pytest.mark.parametrize("name", font_names())
def test_every_glyph_is_a_cell_and_only_spaces_are_empty(name: str) -> None:
    """No character can pass unseen because its glyph has no ink."""
    font = load_font(name)
    for character in font.coverage:
        cell = font.glyph(character)
        assert cell.shape == (font.height, font.width)
        assert bool(cell.any()) != character.isspace(), f"U+{ord(character):04X}"


def test_a_letter_looks_like_itself() -> None:
    """The bits of the file are the dots, leftmost first."""
    drawn = ["".join(" #"[dot] for dot in row).rstrip() for row in load_font("6x12").draw("Lü")]
    assert [row for row in drawn if row] == [
        "#      # #",
        "#",
        "#     #   #",
        "#     #   #",
        "#     #   #",
        "#     #   #",
        "#####  ###",
    ]


@pytest.mark.parametrize("name", font_names())
def test_a_font_says_where_it_comes_from_and_that_it_is_free(name: str) -> None:
    """Each file carries its source and its licence."""
    head = files("emulators.hwtoken").joinpath("fonts", f"{name}.hex").read_text("ascii").splitlines()[:4]
    assert head[0] == f"# name: {name}"
    assert "-Misc-Fixed-" in head[1]
    assert "public domain" in head[2].lower()


def test_a_font_is_there_at_once() -> None:
    """Reading the largest font takes less than 20 ms, the best of three times."""
    text = {name: load_font(name) for name in font_names()}
    assert text
    took = []
    for _ in range(3):
        load_font.cache_clear()
        start = time.perf_counter()
        load_font("10x20")
        took.append(time.perf_counter() - start)
    assert min(took) < 0.020


def test_an_unknown_font_is_named() -> None:
    """Neither a wrong name nor a path gets past the list."""
    with pytest.raises(FontError, match=r"expected one of the fonts .*6x12.*, found '\.\./6x12'"):
        load_font("../6x12")
    with pytest.raises(FontError, match="found 'Helvetica'"):
        cell_of("Helvetica")


def test_a_damaged_font_file_is_named_by_its_line() -> None:
    """A row too few is an error, not a smaller letter."""
    with pytest.raises(FontError, match="font 5x8, line 2: expected CODE POINT:16 hexadecimal digits, found '0041:00'"):
        parse_font("5x8", "# name: 5x8\n0041:00\n")
