import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from authrig.pictures import picture_from_png
from emulators.camera_scanner.frames import ImageError
from emulators.camera_scanner.sources.video import VideoFile
from emulators.camera_scanner.webcams.chromium_file import ChromiumFileWebcam
from emulators.env import SeededRandom
from tests.codes import read_patiently

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from emulators.camera_scanner.frames import Image

PATIENCE_SECONDS = 10.0
TAKE_PICTURE = """() => {
  const video = document.querySelector("video"), canvas = document.createElement("canvas");
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return Array.from(atob(canvas.toDataURL("image/png").split(",")[1]), c => c.charCodeAt(0));
}"""
OPEN_CAMERA = """async () => {
  const video = document.createElement("video");
  document.body.append(video);
  video.srcObject = await navigator.mediaDevices.getUserMedia({video: true});
  await video.play();
  return [video.videoWidth, video.videoHeight];
}"""


def _code(text: str) -> "Image":
    rows = [[0 if module else 255 for module in row] for row in segno.make(text, micro=False).matrix_iter(8, 4)]
    return np.array(rows, np.uint8)


def test_the_file_is_a_video_that_others_play(tmp_path: Path) -> None:
    """OpenCV reads from the same file what was shown, so one file serves two kinds of eyes."""
    with ChromiumFileWebcam(tmp_path / "camera.y4m") as webcam:
        webcam.show(_code("first"))
        webcam.show(_code("second"))
        video = VideoFile(webcam.path)
        frame = next(video.frames())
        video.close()
    assert frame.image.shape == (480, 640, 3)
    assert [read.data for read in read_patiently(frame.image)] == [b"second"]


@given(
    width=st.integers(1, 2000),
    height=st.integers(1, 2000),
    gray=st.booleans(),
    suffix=st.sampled_from([".y4m", ".mjpeg"]),
)
def test_any_picture_is_fitted_and_the_file_keeps_its_length(
    width: int,
    height: int,
    gray: bool,  # noqa: FBT001 - drawn
    suffix: str,
) -> None:
    """A partial frame would crash the browser, so the file's length never changes."""
    path = Path(f"/dev/shm/authrig-test-camera{suffix}")  # noqa: S108 - hundreds of rewrites belong in memory
    with ChromiumFileWebcam(path, (64, 48)) as webcam:
        length = path.stat().st_size
        webcam.show(np.full((height, width) if gray else (height, width, 3), 255, np.uint8))
        assert path.stat().st_size == length
    path.unlink()


def test_what_chromium_could_not_play_is_refused(tmp_path: Path) -> None:
    """The name, the size and the rate are checked before there is a file; a bad picture leaves the last one shown."""
    with pytest.raises(ValueError, match=r"found camera\.mp4"):
        ChromiumFileWebcam(tmp_path / "camera.mp4")
    with pytest.raises(ValueError, match="found 641x480"):
        ChromiumFileWebcam(tmp_path / "camera.y4m", (641, 480))
    with pytest.raises(ValueError, match="at 30 frames a second, found 60"):
        ChromiumFileWebcam(tmp_path / "camera.mjpeg", frames_per_second=60)
    with pytest.raises(ValueError, match="found 0"):
        ChromiumFileWebcam(tmp_path / "camera.y4m", frames_per_second=0)
    assert not list(tmp_path.iterdir())
    with ChromiumFileWebcam(tmp_path / "camera.y4m") as webcam:
        before = webcam.path.read_bytes()
        with pytest.raises(ImageError):
            webcam.show(np.zeros((0, 0), np.uint8))
        assert webcam.path.read_bytes() == before


@pytest.fixture(params=[".y4m", ".mjpeg"])
def webcam(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ChromiumFileWebcam]:
    """A webcam file, of either format."""
    with ChromiumFileWebcam(tmp_path / f"camera{request.param}") as made:
        yield made


@pytest.fixture
def page(webcam: ChromiumFileWebcam) -> Iterator["Page"]:
    """A page in Debian's Chromium with that webcam open."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - slow to import, and only one test needs it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*webcam.arguments, "--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        # Chromium offers cameras to secure contexts only; a data: page is none, localhost is.
        page.route("**/*", lambda route: route.fulfill(body="<!doctype html><body>", content_type="text/html"))
        page.goto("http://localhost/")
        assert page.evaluate(OPEN_CAMERA) == [640, 480]
        yield page
        browser.close()


def test_a_motion_jpeg_file_is_one_jpeg_whose_end_stays_in_its_place(tmp_path: Path) -> None:
    """Whatever is shown, the only mark of an end is the file's last two bytes: what follows it must be a picture."""
    noise = np.random.default_rng(6).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    with ChromiumFileWebcam(tmp_path / "camera.mjpeg") as webcam:
        for image in (_code("text"), noise, np.zeros((2, 2), np.uint8)):
            webcam.show(image)
            data = webcam.path.read_bytes()
            assert data.startswith(b"\xff\xd8")
            assert data.index(b"\xff\xd9") == len(data) - 2
            assert len(list(_frames(webcam.path))) == 1


def _frames(path: Path) -> "Iterator[Image]":
    video = VideoFile(path)
    for frame in video.frames():
        yield frame.image
    video.close()


@pytest.mark.needs("chromium")
def test_chromium_sees_at_once_what_is_shown(webcam: ChromiumFileWebcam, page: "Page") -> None:
    """Ten different codes one after the other, all seen through getUserMedia, without reopening the camera."""
    random = SeededRandom(6)
    for _ in range(10):
        text = random.token_bytes(8).hex()
        webcam.show(_code(text))
        deadline = time.monotonic() + PATIENCE_SECONDS
        seen: list[bytes] = []
        while seen != [text.encode()] and time.monotonic() < deadline:
            seen = [read.data for read in read_patiently(picture_from_png(bytes(page.evaluate(TAKE_PICTURE))))]
        assert seen == [text.encode()]
