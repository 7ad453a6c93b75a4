import re
from pathlib import Path

import pytest

from emulators.hwtoken.profile import ProfileError, load_profile, parse_profile, profile_names

GOOD = (Path(__file__).parents[3] / "emulators/hwtoken/profiles/dot_matrix_128x64.toml").read_text("utf-8")


def test_the_shipped_models_load() -> None:
    """By name; the small one is what one gets without asking."""
    for name in profile_names():
        assert load_profile(name).name
    assert load_profile() == load_profile("dot_matrix_128x64")


def test_a_model_of_ones_own_is_a_file(tmp_path: Path) -> None:
    """A path instead of a name."""
    own = tmp_path / "own.toml"
    own.write_text(GOOD.replace("QR Reader 128", "Bank Reader"), "utf-8")
    assert load_profile(own).name == "Bank Reader"


@pytest.mark.parametrize(
    ("was", "becomes", "sentence"),
    [
        ("has_rtc = true", "has_rtc = true\nhas_nfc = true", "unknown field `has_nfc`"),
        ("has_rtc = true", "", "missing required field `has_rtc`"),
        ("has_rtc = true", 'has_rtc = "yes"', "Expected `bool`, got `str`"),
        ("width = 128", "width = -1", ">= 32"),
        ("width = 128", "width = 64", "expected 104 columns of dots for a code and a title, found 64"),
        ("height = 64", "height = 32", "expected 36 rows of dots for the text with these fonts, found 12"),
        ('"6x12"', '"Comic"', "expected one of the fonts 10x20, 5x8, 6x12, 9x15B, found 'Comic'"),
        ('value_font = "6x12"', 'value_font = "10x20"', "expected room for 14 characters of 10x20, found 12"),
        ("height = 64", "height = 1000", "columns of dots for a code and a title, found 128"),
        ("auto_off_seconds = 60", "auto_off_seconds = 0", ">= 1"),
        ('"#c5d0a2"', '"green"', "matching regex"),
        ('"QR Reader 128"', '"東"', "matching regex"),
        ("[look]", "[look", "Expected ']'"),
        (
            "[look]",
            "[pin]\nleast_digits = 6\nmost_digits = 4\ntries = 5\n[look]",
            "expected most_digits of 6 or more, found 4",
        ),
        ("[display]", 'personalities = ["telepathy"]\n[display]', "Invalid enum value 'telepathy'"),
    ],
)
def test_a_wrong_profile_is_refused_with_the_reason(was: str, becomes: str, sentence: str) -> None:
    """Unknown keys, missing keys, wrong types, and panels that could not show a code."""
    with pytest.raises(ProfileError, match=f"token profile own.toml: .*{re.escape(sentence)}"):
        parse_profile(GOOD.replace(was, becomes), "own.toml")


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """As is one that does not exist."""
    (tmp_path / "binary.toml").write_bytes(b"\xff")
    for name in ("binary.toml", "missing.toml"):
        with pytest.raises(ProfileError, match=rf"{name}: cannot be read: "):
            load_profile(tmp_path / name)


def test_an_unknown_model_is_told_from_the_known() -> None:
    """The sentence lists what there is."""
    with pytest.raises(ProfileError, match=r"expected one of the token models dot_matrix_128x64, .*, found 'nokia'"):
        load_profile("nokia")
