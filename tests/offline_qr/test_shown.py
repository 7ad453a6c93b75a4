import pytest

from offline_qr.shown import find_hidden


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a\tb", "U+0009 (Cc) at 1"),
        ("\n", "U+000A (Cc) at 0"),
        ("ab\u202ec", "U+202E (Cf) at 2"),
        ("a\u200bb", "U+200B (Cf) at 1"),
        ("\u2028", "U+2028 (Zl) at 0"),
        ("\ue000", "U+E000 (Co) at 0"),
        ("\u0378", "U+0378 (Cn) at 0"),
        ("\ud800", "U+D800 (Cs) at 0"),
    ],
)
def test_what_hides_is_found_with_its_place(text: str, found: str) -> None:
    """One of each category."""
    assert find_hidden(text) == found


@pytest.mark.parametrize("text", ["", "CHF 1\u2009250.00", "Zürich\u00a0West", "京都", "e\u0301", "שלום"])
def test_what_shows_is_not(text: str) -> None:
    """Also thin and fixed spaces, as banks write amounts with."""
    assert find_hidden(text) is None
