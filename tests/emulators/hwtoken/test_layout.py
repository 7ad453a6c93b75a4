import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.hwtoken.layout import Entry, Unrenderable, height_of, paginate, wrap
from emulators.hwtoken.profile import load_profile, profile_names
from emulators.hwtoken.screens import Line, Style

SMALL = load_profile("dot_matrix_128x64").panel
PRINTABLE = st.text(st.sampled_from("abcdefgh ÄÖÜ€'.:,0123456789"), max_size=120)


def texts(page: tuple[Line, ...]) -> list[str]:
    """What one reads on a page, line by line."""
    return [line.text for line in page]


def test_words_move_to_the_next_line() -> None:
    """A line ends at a space."""
    assert list(wrap("CH93 0076 2011 6238 5295 7", 20)) == [("CH93 0076 2011 6238", False), ("5295 7", False)]


def test_a_long_word_is_broken_and_says_so() -> None:
    """A number over two lines cannot be taken for two numbers."""
    assert list(wrap("100000 1", 4)) == [("1000", True), ("00 1", False)]
    assert list(wrap("1000 00 1", 4)) == [("1000", False), ("00 1", False)]


@given(PRINTABLE, st.integers(1, 30))
def test_wrapping_loses_nothing_but_the_space_at_the_end_of_a_line(text: str, columns: int) -> None:
    """What was sent can be put together again from what is shown."""
    lines = list(wrap(text, columns))
    assert all(len(part) <= columns for part, _ in lines)
    assert "".join(part + ("" if broken else " ") for part, broken in lines) == text + " "


def test_entries_share_a_page_where_they_fit() -> None:
    """Two short ones on the small panel, the third on the next page."""
    pages = paginate([Entry("Service", "e-Banking"), Entry("User", "alice"), Entry("Place", "Zürich")], SMALL)
    assert [texts(page) for page in pages] == [["Service", "e-Banking", "User", "alice"], ["Place", "Zürich"]]


def test_a_server_can_ask_for_one_entry_a_page() -> None:
    """However short they are."""
    pages = paginate([Entry("Service", "e-Banking"), Entry("User", "alice")], SMALL, one_a_page=True)
    assert [texts(page) for page in pages] == [["Service", "e-Banking"], ["User", "alice"]]


def test_an_entry_longer_than_a_page_goes_on_under_its_label() -> None:
    """Nothing is cut off, and each page says whose text it shows."""
    value = " ".join(f"word{number:02}" for number in range(16))
    pages = paginate([Entry("Amount", "1"), Entry("Reference", value)], SMALL)
    assert [texts(page)[0] for page in pages] == ["Amount", "Reference", "...Reference"]
    assert " ".join(" ".join(texts(page)[1:]) for page in pages[1:]) == value


@given(st.lists(st.tuples(st.text(st.sampled_from("ab ü"), max_size=40), PRINTABLE), max_size=8), st.booleans())
def test_every_character_is_on_some_page_and_every_page_fits(entries: list[tuple[str, str]], one_a_page: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
    """Whatever a server sends, on both panels."""
    for name in set(profile_names()) - {"otp-6digit"}:
        display = load_profile(name).panel
        pages = paginate([Entry(label, value) for label, value in entries], display, one_a_page=one_a_page)
        assert all(height_of(page, display) <= display.body_height for page in pages)
        values = [line for page in pages for line in page if line.style is Style.VALUE]
        shown = "".join(line.text + ("" if line.broken else " ") for line in values)
        assert shown == "".join(f"{value} " for _, value in entries)


def test_a_character_without_a_glyph_is_named() -> None:
    """In a value and in a label, each once."""
    with pytest.raises(Unrenderable, match=r"U\+6771, U\+4EAC") as refused:
        paginate([Entry("東", "東京 1")], SMALL)
    assert refused.value.characters == ("東", "京")


@pytest.mark.parametrize("text", ["Mu\u0308ller", "1000\u202e", "a\u200bb", "שלום", "one\ntwo"])
def test_text_that_would_look_otherwise_is_refused(text: str) -> None:
    """Decomposed umlauts, bidirectional overrides, zero-width and right-to-left text have no glyphs."""
    with pytest.raises(Unrenderable):
        paginate([Entry("Reference", text)], SMALL)
