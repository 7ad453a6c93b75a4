import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from authrig.errors import RigError
from authrig.pictures import picture_from_png, print_code
from authrig.tokens.eyes import Eye
from emulators.camera_scanner.frames import Frame, Image
from emulators.camera_scanner.mjpeg import MjpegServer
from emulators.env import SeededRandom, SystemClock
from tests.codes import read_patiently

PATIENCE = 30.0


def eye(where: str | Path) -> Eye:
    """On ``where``."""
    return Eye(str(where), SystemClock(), SeededRandom(1))


def until(found: Callable[[], Frame | None]) -> Frame:
    """The next frame."""
    give_up = time.monotonic() + PATIENCE
    while (frame := found()) is None:
        assert time.monotonic() < give_up, "no frame came"
        time.sleep(0.01)
    return frame


def text_in(frame: Frame) -> bytes:
    """What the one code in it says."""
    [read] = read_patiently(frame.image)
    return read.data


def picture(path: Path, text: str) -> Path:
    """A printed code."""
    path.write_bytes(print_code(text))
    return path


def test_a_picture_is_held_until_it_is_taken_away(tmp_path: Path) -> None:
    """Each scan sees it again, and sees another one where the file has changed."""
    path = picture(tmp_path / "qr.png", "one")
    with eye(path) as looking:
        looking.watch(watching=True)
        assert [text_in(until(looking.take)) for _ in range(2)] == [b"one", b"one"]
        looking.watch(watching=False)
        picture(tmp_path / "other.png", "two").replace(path)
        looking.watch(watching=True)
        while text_in(until(looking.take)) != b"two":
            pass


def test_nothing_is_looked_at_while_the_token_does_not_scan(tmp_path: Path) -> None:
    """Its camera is off."""
    seen: list[Frame] = []
    with eye(picture(tmp_path / "qr.png", "one")) as looking:
        looking.on_frame = seen.append
        assert looking.take() is None
    assert seen == []


def test_a_folder_shows_each_new_picture_once(tmp_path: Path) -> None:
    """What was there before does not count; what is no picture is passed over."""
    picture(tmp_path / "old.png", "old")
    with eye(tmp_path) as looking:
        looking.watch(watching=True)
        (tmp_path / "note.txt").write_text("no picture")
        picture(tmp_path / "new1.png", "new1")
        assert text_in(until(looking.take)) == b"new1"
        picture(tmp_path / "new2.png", "new2")
        assert text_in(until(looking.take)) == b"new2"
        picture(tmp_path / "old.png", "changed")
        assert text_in(until(looking.take)) == b"changed"
        assert looking.problem == ""


def test_a_folder_that_goes_away_is_said(tmp_path: Path) -> None:
    """Once, in a sentence, and the token goes on."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    with eye(folder) as looking:
        looking.watch(watching=True)
        shutil.rmtree(folder)
        give_up = time.monotonic() + PATIENCE
        while not looking.problem:
            assert time.monotonic() < give_up
            time.sleep(0.01)
        assert looking.take() is None


def test_a_photograph_of_a_picture(tmp_path: Path) -> None:
    """As a hand would hold it: not the picture itself, and readable."""
    with eye(f"synthetic:{picture(tmp_path / 'qr.png', 'photo')}") as looking:
        looking.watch(watching=True)
        frames = [until(looking.take) for _ in range(3)]
    assert {frame.image.shape for frame in frames} == {(480, 640, 3)}
    assert b"photo" in [text_in(frame) for frame in frames]


def test_it_ends_while_it_waits(tmp_path: Path) -> None:
    """Nobody has to press a key first."""
    before = threading.active_count()
    with eye(tmp_path):
        pass
    with eye(picture(tmp_path / "qr.png", "one")) as looking:
        looking.watch(watching=True)
        until(looking.take)
    assert threading.active_count() == before


@pytest.mark.parametrize("where", ["screen:1,2,3", "screen:0,0,99999,1", "camera of nobody", "/nowhere/x.png", "98765"])
def test_what_is_not_there_is_named(where: str) -> None:
    """Before the token is switched on."""
    with pytest.raises(RigError, match="camera "):
        eye(where)


def test_an_http_stream_is_seen_as_it_is_now() -> None:
    """Such as a phone's camera, or `authrig webcam run --as http`."""
    with MjpegServer() as server:
        server.show(picture_from_png(print_code("streamed")))
        with eye(f"{server.url}/stream") as looking:
            assert text_in(until(looking.take)) == b"streamed"


class FakeCapture:
    """A webcam that sees one picture, thirty times a second, until it is unplugged."""

    def __init__(self, pictures: int) -> None:
        self.image = cv2.cvtColor(picture_from_png(print_code("webcam")), cv2.COLOR_GRAY2BGR)
        self.left, self.released = pictures, False

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """It is there."""
        return True

    def grab(self) -> bool:
        """Wait for the next picture, while there is one."""
        time.sleep(1 / 30)
        self.left -= 1
        return self.left >= 0

    def retrieve(self) -> tuple[bool, Image]:
        """The picture."""
        return True, self.image.astype(np.uint8)

    def get(self, propId: int) -> float:  # noqa: N803, ARG002 - OpenCV's name; whatever is asked
        """It tells nothing."""
        return 0.0

    def release(self) -> None:
        """Let go of."""
        self.released = True


def test_a_webcam_is_read_all_the_time_and_its_end_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the token sees is what is there now, not what was there when it last scanned."""
    capture = FakeCapture(10)
    monkeypatch.setattr(cv2, "VideoCapture", lambda index: capture if index == 7 else None)
    with eye("7") as looking:
        assert text_in(until(looking.take)) == b"webcam"
        give_up = time.monotonic() + PATIENCE
        while not looking.problem:
            assert time.monotonic() < give_up
            time.sleep(0.01)
        assert "stopped" in looking.problem
    assert capture.released


@pytest.mark.needs("Xvfb")
def test_a_region_of_the_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked at in a thread of its own, closed in another."""
    ready, tell = os.pipe()
    command = f"Xvfb -displayfd {tell} -screen 0 320x240x24 -nolisten tcp -fbdir {tmp_path}".split()
    with subprocess.Popen(command, pass_fds=(tell,), stderr=subprocess.DEVNULL) as server:
        os.close(tell)
        with os.fdopen(ready, "rb") as numbers:
            monkeypatch.setenv("DISPLAY", f":{int(numbers.readline())}")
        with eye("screen:10,10,100,80") as looking:
            assert until(looking.take).image.shape[:2] == (80, 100)
        server.terminate()
