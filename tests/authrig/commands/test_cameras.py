import json
from pathlib import Path

import pytest

from authrig.cli import main
from authrig.commands import cameras
from emulators.camera_scanner.sources.cameras import Camera

WEBCAM = Camera(2, "C920 \x1b[2J", ("usb-046d_C920-video-index0",), {"MJPG": ((640, 480), (1280, 720)), "YUYV": ()})


def test_a_camera_is_told_to_people() -> None:
    """Number, name (which has no power over the terminal), names that stay, sizes."""
    assert cameras.as_text(WEBCAM).splitlines() == [
        " 2  C920 \\x1b[2J",
        "    usb-046d_C920-video-index0",
        "    MJPG  640x480 1280x720",
        "    YUYV  ",
    ]
    assert cameras.as_text(Camera(3, "", ())).splitlines() == [
        " 3  (no name)",
        "    delivers no pictures, or may not be opened",
    ]


def test_a_camera_is_told_to_scripts() -> None:
    """One JSON object a line."""
    line = cameras.as_json(WEBCAM)
    assert line.count("\n") == 1
    assert json.loads(line) == {
        "index": 2,
        "name": "C920 \x1b[2J",
        "ids": ["usb-046d_C920-video-index0"],
        "sizes": {"MJPG": [[640, 480], [1280, 720]], "YUYV": []},
    }


def test_the_exit_code_tells_whether_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """And a sentence says that there is none."""
    code = main(["cameras"])
    out, err = capsys.readouterr()
    if list(Path("/dev").glob("video*")):
        assert (code, err) == (0, "")
        assert out
    else:
        assert (code, out, err) == (1, "", "authrig cameras: this machine has no camera (no /dev/video*)\n")
