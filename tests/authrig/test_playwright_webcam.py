import base64
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from authrig.pictures import picture_from_png, print_code
from authrig.playwright_webcam import FakeWebcam
from emulators.camera_scanner.frames import ImageError, UnreadableFile
from tests.codes import read_patiently

if TYPE_CHECKING:
    from playwright.sync_api import Page

OPEN_CAMERA = """async () => {
  const video = document.createElement("video");
  document.body.append(video);
  video.srcObject = await navigator.mediaDevices.getUserMedia({video: true});
  await video.play();
}"""
TAKE_PICTURE = """() => {
  const video = document.querySelector("video"), canvas = document.createElement("canvas");
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.toDataURL("image/png").split(",")[1];
}"""


@pytest.fixture
def page(fake_webcam: FakeWebcam) -> Iterator["Page"]:
    """A page with the camera open."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - slow to import

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**fake_webcam.launch_options)
        page = browser.new_page()
        page.route("**/*", lambda route: route.fulfill(body="<!doctype html><body>", content_type="text/html"))
        page.goto("http://localhost/")
        page.evaluate(OPEN_CAMERA)
        yield page
        browser.close()


def _wait_until_seen(page: "Page", data: bytes) -> None:
    deadline = time.monotonic() + 10
    while True:
        picture = picture_from_png(base64.b64decode(page.evaluate(TAKE_PICTURE)))
        if [read.data for read in read_patiently(picture)] == [data]:
            return
        assert time.monotonic() < deadline


@pytest.mark.needs("chromium")
def test_a_page_sees_whatever_is_shown(page: "Page", fake_webcam: FakeWebcam, tmp_path: Path) -> None:
    """Text, bytes, a picture's file and pixels; and nothing once it is covered."""
    fake_webcam.show("AR1:badge")
    _wait_until_seen(page, b"AR1:badge")
    fake_webcam.show(b"\x00\xff\x80bytes")
    _wait_until_seen(page, b"\x00\xff\x80bytes")
    (tmp_path / "badge.png").write_bytes(print_code("on paper"))
    fake_webcam.show(tmp_path / "badge.png")
    _wait_until_seen(page, b"on paper")
    fake_webcam.show(picture_from_png(print_code("pixels")))
    _wait_until_seen(page, b"pixels")
    fake_webcam.cover()
    deadline = time.monotonic() + 10
    while picture_from_png(base64.b64decode(page.evaluate(TAKE_PICTURE))).max() > 20:
        assert time.monotonic() < deadline


def test_what_cannot_be_shown_is_refused(fake_webcam: FakeWebcam, tmp_path: Path) -> None:
    """And what was shown before stays."""
    fake_webcam.show("before")
    with pytest.raises(UnreadableFile, match=r"none\.png"):
        fake_webcam.show(tmp_path / "none.png")
    with pytest.raises(ImageError):
        fake_webcam.show(np.zeros((0, 0), np.uint8))
    with pytest.raises(ValueError, match="too large"):
        fake_webcam.show("x" * 5000)
    video = cv2.VideoCapture(fake_webcam.launch_options["args"][1].partition("=")[2])
    frame = np.asarray(video.read()[1], np.uint8)
    video.release()
    assert [read.data for read in read_patiently(frame)] == [b"before"]


def test_each_test_begins_in_the_dark(fake_webcam: FakeWebcam) -> None:
    """What the test before has shown is gone."""
    video = cv2.VideoCapture(fake_webcam.launch_options["args"][1].partition("=")[2])
    assert np.asarray(video.read()[1]).max() <= 20
    video.release()


def test_pytest_starts_quickly_for_those_who_ask_for_no_webcam() -> None:
    """The plugin brings neither numpy nor OpenCV nor Playwright."""
    program = "import authrig.pytest_plugin, authrig.playwright_webcam, sys; print([n for n in ('cv2', 'numpy', 'playwright') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
