import numpy as np
import pytest

from emulators.hwtoken.contact_sheet import SAMPLES, samples
from emulators.hwtoken.defects import Defects
from emulators.hwtoken.display import picture, render
from emulators.hwtoken.profile import load_profile, profile_names
from emulators.hwtoken.readout import read_keys, read_text, screen_hash
from emulators.hwtoken.screens import Code, Error, ErrorKind, Idle, Locked, Off, Typing

FOB, READER, COLOUR = load_profile("otp-6digit"), load_profile("qr-reader-2button"), load_profile("qr-reader-colour")
CODE = Code("9122 1436", "Type it to approve")


def test_a_screen_can_be_read_as_text() -> None:
    """From top to bottom; a dark one says nothing."""
    assert read_text(CODE, READER) == ("Code", "9122 1436", "Type it to approve")
    assert read_text(Typing("PIN", "Type your PIN", "**", "7"), READER) == ("PIN", "Type your PIN", "**[7]")
    assert read_text(Off(), READER) == ()
    assert read_keys(Idle("Reader", "1")) == ("Off", "Scan")


@pytest.mark.parametrize("model", profile_names())
def test_every_screen_but_a_dark_one_has_words(model: str) -> None:
    """On each display."""
    profile = load_profile(model)
    assert {name for name, screen in samples(model).items() if not read_text(screen, profile)} == {"off"}


def test_seven_segments_show_what_fits() -> None:
    """A code, stars as bars, an error by its number."""
    assert read_text(CODE, FOB) == ("91221436",)
    assert read_text(Typing("PIN", "", "****"), FOB) == ("----_",)
    assert read_text(Locked("1"), FOB) == ("LoC",)
    assert read_text(Error(ErrorKind.DAMAGED, ""), FOB) == ("Err 2",)


def test_a_stuck_segment_makes_an_eight_of_a_zero() -> None:
    """Segment g always on: who reads the display reads another code than the token made."""
    stuck = Defects(stuck_segments={(0, 6): True})
    assert screen_hash(Code("0000 0000", ""), FOB, stuck) == screen_hash(Code("8000 0000", ""), FOB)
    off = Defects(stuck_segments={(7, 1): False})
    assert render(Code("8888 8888", ""), FOB, off).sum() < render(Code("8888 8888", ""), FOB).sum()


def test_burnt_rows_and_dead_columns_hide_what_is_there() -> None:
    """The rest is as it was."""
    spoilt = render(CODE, READER, Defects(burnt_rows=frozenset({30, 999}), dead_columns=frozenset({64})))
    clean = render(CODE, READER)
    assert spoilt[30, :64].all()
    assert not spoilt[:, 64].any()
    assert np.array_equal(np.delete(np.delete(spoilt, 30, 0), 64, 1), np.delete(np.delete(clean, 30, 0), 64, 1))


def test_low_contrast_fades_to_paper() -> None:
    """At nothing left, a code looks like an empty panel; dots and hash do not change."""
    faint = [picture(CODE, READER, 2, Defects(contrast=contrast)).astype(int) for contrast in (1.0, 0.5, 0.0)]
    spread = [np.ptp(image[70:150, 60:300]) for image in faint]
    assert spread[0] > spread[1] > spread[2]
    assert screen_hash(CODE, READER, Defects(contrast=0.2)) == screen_hash(CODE, READER)


def test_a_colour_panel_is_red_where_something_is_wrong() -> None:
    """And green with a code."""
    pictures = [picture(screen, COLOUR, 1) for screen in (SAMPLES["idle"], CODE, SAMPLES["error: damaged"])]
    bars = [tuple(int(value) for value in image[56 + 12 + 2, 40 + 12 + 150]) for image in pictures]
    blue, green, red = bars
    assert blue[0] == max(blue)
    assert green[1] == max(green)
    assert red[2] == max(red)


@pytest.mark.parametrize("model", profile_names())
def test_a_hash_is_that_of_the_dots(model: str) -> None:
    """Twice the same; and one dot more is another."""
    profile = load_profile(model)
    assert screen_hash(CODE, profile) == screen_hash(CODE, profile)
    burnt = Defects(burnt_rows=frozenset({profile.display.height - 1}))
    assert screen_hash(CODE, profile) != screen_hash(CODE, profile, burnt)
