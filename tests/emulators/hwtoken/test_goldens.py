"""Every screen of every model, dot for dot.

After a change that is meant: ``python -m emulators.hwtoken.contact_sheet page.html tests/emulators/hwtoken/goldens.json``,
look through the page, and commit the hashes.
"""

import json
from pathlib import Path

import pytest

from emulators.hwtoken.contact_sheet import hashes, main, samples, sheet
from emulators.hwtoken.profile import profile_names

GOLDENS = Path(__file__).with_name("goldens.json")


def test_no_screen_has_changed() -> None:
    """The names of those that have are in the failure."""
    expected = json.loads(GOLDENS.read_text("utf-8"))
    found = hashes()
    changed = [
        (model, name)
        for model, screens in found.items()
        for name in screens
        if expected[model].get(name) != screens[name]
    ]
    assert changed == []
    assert found.keys() == expected.keys()


@pytest.mark.parametrize("model", profile_names())
def test_screens_that_differ_look_different(model: str) -> None:
    """Apart from what eight digits of seven segments cannot tell apart."""
    found = hashes()[model]
    least = 20 if model == "otp-6digit" else len(samples(model))
    assert len(set(found.values())) >= least


def test_the_sheet_has_a_picture_of_each(tmp_path: Path) -> None:
    """As one page that needs nothing else."""
    main(str(tmp_path / "page.html"), str(tmp_path / "goldens.json"))
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page == sheet()
    assert page.count("<img src='data:image/png;base64,") == sum(len(samples(model)) for model in profile_names())
    assert json.loads((tmp_path / "goldens.json").read_text("utf-8")) == hashes()
