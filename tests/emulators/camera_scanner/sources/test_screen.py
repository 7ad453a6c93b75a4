import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from emulators.camera_scanner.frames import CameraStopped, Image, NoScreen
from emulators.camera_scanner.sources.screen import ScreenRegion
from emulators.env import SimulatedClock
from tests.codes import read_patiently

LATER = 60.0


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A screen of 800x600 that nobody sees, its pixels in a file."""
    ready, tell = os.pipe()
    server = subprocess.Popen(
        f"Xvfb -displayfd {tell} -screen 0 800x600x24 -noreset -nolisten tcp -fbdir {tmp_path}".split(),
        pass_fds=(tell,),
        stderr=subprocess.DEVNULL,
    )
    os.close(tell)
    with os.fdopen(ready, "rb") as numbers:
        monkeypatch.setenv("DISPLAY", f":{int(numbers.readline())}")
    yield server
    server.kill()
    server.wait(LATER)


def show(framebuffer: Path, picture: Image, left: int, top: int) -> None:
    """Put a gray picture on the screen: the file is an X window dump, four bytes a pixel behind its header and colours."""
    head = np.fromfile(framebuffer, ">u4", 25)
    start, line, colours = int(head[0]), int(head[12]), int(head[19])
    with framebuffer.open("r+b") as file:
        for row, pixels in enumerate(np.repeat(picture[:, :, None], 4, axis=2)):
            file.seek(start + 12 * colours + (top + row) * line + 4 * left)
            file.write(pixels.tobytes())


@pytest.mark.needs("Xvfb")
def test_a_code_on_the_screen_is_read(
    screen: subprocess.Popen[bytes], draw: Callable[..., Image], tmp_path: Path
) -> None:
    """At its place, and only within the region; a screen that is gone ends by name."""
    show(tmp_path / "Xvfb_screen0", draw("on screen", scale=4), 120, 90)
    show(tmp_path / "Xvfb_screen0", draw("outside", scale=4), 600, 400)
    clock = SimulatedClock()
    source = ScreenRegion(clock, (100, 50, 400, 300), pause=clock.advance)
    frames = source.frames()
    first, second = next(frames), next(frames)
    assert first.image.shape == (300, 400, 3)
    (read,) = read_patiently(first.image)
    assert read.data == b"on screen"
    assert read.corners[0] == pytest.approx((36, 56), abs=1)
    assert second.time - first.time == pytest.approx(1 / 15)
    screen.kill()
    screen.wait(LATER)
    with pytest.raises(CameraStopped, match=r"^screen 400x300\+100\+50 stopped after 2 pictures"):
        next(frames)
    source.close()


@pytest.mark.needs("Xvfb")
def test_a_region_that_is_not_on_the_screen_is_refused(screen: subprocess.Popen[bytes]) -> None:
    """The sentence says how large the screen is; without a region it is all of it."""
    for box in ((700, 0, 200, 100), (0, 0, 0, 5), (-1, 0, 5, 5)):
        with pytest.raises(NoScreen, match="the screen has 800x600 pixels"):
            ScreenRegion(SimulatedClock(), box)
    whole = ScreenRegion(SimulatedClock())
    assert whole.name == "screen 800x600+0+0"
    whole.close()
    whole.close()


def test_without_a_screen_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence."""
    monkeypatch.setenv("DISPLAY", ":9999")
    with pytest.raises(NoScreen, match="there is no screen to look at"):
        ScreenRegion(SimulatedClock())
