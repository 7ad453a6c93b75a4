import re

import pytest

from emulators.camera_scanner.preset import PresetError, load_preset, parse_preset, preset_names

DESK = """
description = "x"
[scene]
surface = "wood"
carrier = "phone"
code_share = 0.6
[pose]
tilt = 1
pan = 1
roll = 1
shift = 0
tremor = 0
[light]
brightness = 1
contrast = 1
vignette = 0
glare = 0
[lens]
blur = 0
motion = 0
[sensor]
noise = 0
jpeg = 0
frames_per_second = 30
"""


def test_every_preset_that_comes_along_is_valid() -> None:
    """At least a desk, an office, a kiosk and a dark door."""
    assert {"desk", "office-desk", "badge-at-kiosk", "dark-door"} <= set(preset_names())
    for name in preset_names():
        assert load_preset(name).description


def test_an_unknown_preset_is_refused_with_those_that_exist() -> None:
    """Also when its name is a path to somewhere else."""
    for name in ("deks", "../presets/desk", "", "desk.toml"):
        with pytest.raises(PresetError, match=rf"{re.escape(repr(name))}; there are badge-at-kiosk, .*desk"):
            load_preset(name)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("tilt = 1", "tilt = 61", r"<= 60.*\$\.pose\.tilt"),
        ("tilt = 1", "", "missing.*tilt"),
        ("tilt = 1", "tilt = 1\ntlit = 2", "unknown field `tlit`"),
        ("tilt = 1", "tilt = true", r"\$\.pose\.tilt"),
        ('"wood"', '"water"', r"'water'"),
        ("[lens]", "[lens", "mine: "),
    ],
)
def test_a_preset_says_all_that_it_must_and_nothing_else(old: str, new: str, sentence: str) -> None:
    """A slip in a file is found when it is read, not in the picture."""
    assert parse_preset(DESK, "mine").pose.tilt == 1
    with pytest.raises(PresetError, match=sentence):
        parse_preset(DESK.replace(old, new), "mine")
