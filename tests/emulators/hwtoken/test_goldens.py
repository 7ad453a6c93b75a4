"""Every screen of every model, dot for dot, as pictures in ``goldens``.

After a change that is meant: ``python -m emulators.hwtoken.contact_sheet page.html --goldens tests/emulators/hwtoken/goldens
--renew``, look through the page, where what has changed stands first, and commit the pictures.
"""

import sys
from pathlib import Path

import pytest

from emulators.hwtoken import contact_sheet
from emulators.hwtoken.contact_sheet import changed, golden_path, renew, samples, sheet
from emulators.hwtoken.profile import load_profile, profile_names
from emulators.hwtoken.readout import screen_hash

GOLDENS = Path(__file__).with_name("goldens")
MAX_BYTES = 2_000_000


def test_no_screen_has_changed() -> None:
    """The names of those that have are in the failure."""
    assert list(changed(GOLDENS)) == []


def test_each_picture_is_of_a_screen_and_all_are_small() -> None:
    """None is left of a screen that is gone, and no two share a file."""
    wanted = [golden_path(GOLDENS, model, name) for model in profile_names() for name in samples(model)]
    assert sorted(GOLDENS.glob("*/*")) == sorted(wanted)
    assert sum(path.stat().st_size for path in wanted) < MAX_BYTES


@pytest.mark.parametrize("model", profile_names())
def test_screens_that_differ_look_different(model: str) -> None:
    """Apart from what eight digits of seven segments cannot tell apart."""
    profile = load_profile(model)
    found = {screen_hash(screen, profile) for screen in samples(model).values()}
    least = 20 if model == "otp-6digit" else len(samples(model))
    assert len(found) >= least


def test_the_sheet_shows_what_has_changed_and_renewing_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one page that needs nothing else; one picture that differs, one that is missing and one that is stale."""
    monkeypatch.setattr(contact_sheet, "profile_names", lambda: ("otp-6digit",))
    goldens = tmp_path / "goldens"
    assert len(renew(goldens)) == len(samples("otp-6digit"))
    assert renew(goldens) == ()
    code, idle = (golden_path(goldens, "otp-6digit", name) for name in ("code", "idle"))
    code.write_bytes(idle.read_bytes())
    idle.unlink()
    stale = idle.with_name("stale.png")
    stale.write_bytes(code.read_bytes())
    page = sheet(goldens)
    assert "Changed: 2" in page
    assert "otp-6digit: code, before" in page
    assert "otp-6digit: idle, before" not in page
    assert page.count("<img src='data:image/png;base64,") == len(samples("otp-6digit")) + 3
    monkeypatch.setattr(sys, "argv", ["contact_sheet", str(tmp_path / "p.html"), "--goldens", str(goldens), "--renew"])
    contact_sheet.main()
    assert (tmp_path / "p.html").read_text("utf-8") == page
    assert changed(goldens) == {}
    assert not stale.exists()
