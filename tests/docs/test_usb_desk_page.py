import re
from pathlib import Path

from authrig.rig_file.entries import Camera, QrToken
from authrig.rig_file.reading import load_rig_file
from tests.vm.desk.views import code_corners

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "usb-desk.md").read_text("utf-8")
RIG = ROOT / "tests" / "vm" / "desk" / "rig.toml"


def test_the_rig_file_on_the_page_is_that_of_the_desk() -> None:
    """And its webcam looks where the token's digits are."""
    assert re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) == [RIG.read_text("utf-8")]
    token = load_rig_file(RIG).devices["token"]
    assert isinstance(token, QrToken)
    assert isinstance(token.display, Camera)
    assert token.display.corners == code_corners()


def test_the_command_on_the_page_is_a_target() -> None:
    """It runs the tests with that rig file, and keeps what the page says that it keeps."""
    assert "make desk" in PAGE
    target = re.search(r"^desk:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert target is not None
    for word in ("tests/vm/test_usb_desk.py", "--rig tests/vm/desk/rig.toml", "--hil-report out/desk/report.html"):
        assert word in target[1]
