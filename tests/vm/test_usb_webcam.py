import base64
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import cv2
import pytest

from authrig.pictures import picture_from_png
from emulators.camera_scanner.webcams.errors import WebcamError
from emulators.camera_scanner.webcams.usb import UsbWebcam
from emulators.camera_scanner.webcams.v4l2_output import V4l2Webcam
from emulators.usb.usb_identity import UsbIdentity
from emulators.usb.usbip_function import composite_device
from emulators.usb.usbip_server import UsbIpServer
from tests.codes import read_patiently
from tests.vm.browsers.browser import SLOW_SECONDS
from tests.vm.browsers.scenarios import needs_minutes
from tests.vm.cameras import attach, camera_node, capture, code, wait_until_seen
from tests.vm.conftest import run, wait_for

NAME = "Test camera"
SIZES = [(640, 480), (320, 240), (1280, 720)]


@pytest.fixture(scope="module")
def webcam() -> Iterator[UsbWebcam]:
    """A camera that is attached."""
    with ExitStack() as stack:
        server = stack.enter_context(UsbIpServer(port=0))
        made = stack.enter_context(UsbWebcam(NAME))
        busid = server.plug_in(composite_device(UsbIdentity(0x1209, 0x0003, 0x0100, "Authrig", NAME), made.function))
        attach(server, busid)
        camera_node(NAME)
        yield made


def test_the_kernel_offers_two_formats_at_three_sizes(webcam: UsbWebcam) -> None:
    """As `v4l2-ctl` lists them, each at 30 pictures a second; the largest without compression at 10."""
    listed = run("v4l2-ctl", "-d", camera_node(NAME), "--list-formats-ext")
    formats = re.split(r"\[\d\]: ", listed)[1:]
    assert [listed[1:5] for listed in formats] == ["MJPG", "YUYV"]
    sizes = [[*map(int, size)] for size in re.findall(r"Discrete (\d+)x(\d+)", listed)]
    assert sizes == [[640, 480], [320, 240], [1280, 720]] * 2
    first_rates = [re.findall(r"\(([\d.]+) fps\)", size)[0] for size in re.split(r"Size: ", listed)[1:]]
    assert first_rates == ["30.000"] * 5 + ["10.000"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pixels", ["MJPG", "YUYV"])
def test_opencv_sees_what_is_shown(webcam: UsbWebcam, pixels: str, size: tuple[int, int]) -> None:
    """In each format and size; what is shown while it is open is seen without opening it again."""
    texts = [f"{pixels} {number}" for number in range(2)]
    with capture(camera_node(NAME), pixels, *size) as eye:
        for text in texts:
            webcam.show(code(text))
            frame = wait_until_seen(eye, text)
            assert frame.shape == (size[1], size[0], 3)
        assert webcam.mode is not None
        assert (webcam.mode.format.value, webcam.mode.width, webcam.mode.height) == (pixels, *size)
    wait_for(lambda: not webcam.watched)


def test_a_second_program_gets_no_picture(webcam: UsbWebcam) -> None:
    """And disturbs the first one no more than with any camera."""
    node = camera_node(NAME)
    webcam.show(code("mine"))
    with capture(node, "MJPG", 320, 240) as eye:
        wait_until_seen(eye, "mine")
        assert not cv2.VideoCapture(str(node), cv2.CAP_V4L2).isOpened()
        wait_until_seen(eye, "mine")


OPEN_CAMERA = """async name => {
  const devices = await navigator.mediaDevices.enumerateDevices();
  const camera = devices.find(device => device.label.includes(name));
  const video = document.createElement("video");
  document.body.append(video);
  video.srcObject = await navigator.mediaDevices.getUserMedia({video: {deviceId: {exact: camera.deviceId}}});
  await video.play();
  return [camera.label, video.videoWidth, video.videoHeight];
}"""
TAKE_PICTURE = """() => {
  const video = document.querySelector("video"), canvas = document.createElement("canvas");
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.toDataURL("image/png").split(",")[1];
}"""


@needs_minutes
def test_a_page_in_chromium_sees_what_is_shown(webcam: UsbWebcam) -> None:
    """Its real getUserMedia, with no fake device: by the camera's own name."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - slow to import, and only this test needs it

    webcam.show(code("hello page"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu"],
            timeout=1000 * SLOW_SECONDS,
        )
        page = browser.new_page(permissions=["camera"])
        page.set_default_timeout(1000 * SLOW_SECONDS)
        page.route("**/*", lambda route: route.fulfill(body="<!doctype html><body>", content_type="text/html"))
        page.goto("http://localhost/")
        label, width, height = page.evaluate(OPEN_CAMERA, NAME)
        assert NAME in label
        assert (width, height) == (640, 480)

        def seen() -> bool:
            picture = picture_from_png(base64.b64decode(page.evaluate(TAKE_PICTURE)))
            return [read.data for read in read_patiently(picture)] == [b"hello page"]

        wait_for(seen, SLOW_SECONDS)
        browser.close()


def test_a_linux_host_sees_what_is_written_to_a_v4l2_output() -> None:
    """The kernel's vivid, its output connected to its input: what is shown on one node is seen on the other."""
    output, camera = (camera_node(f"vivid-000-vid-{end}") for end in ("out", "cap"))
    run("v4l2-ctl", "-d", output, "--set-output=1")
    run("v4l2-ctl", "-d", output, "--set-dv-bt-timings=index=0")
    run("v4l2-ctl", "-d", camera, "--set-input=3")
    # It writes its settings over the picture unless told not to.
    run("v4l2-ctl", "-d", camera, "-c", "hdmi_000_0_is_connected_to=2,osd_text_mode=2")
    # The output has no signal to query before it is fed, and both ends have to agree on what they carry.
    run("v4l2-ctl", "-d", camera, "--set-dv-bt-timings=index=0")
    with V4l2Webcam(output) as webcam:
        assert webcam.size == (640, 480)
        with capture(camera, "YUYV", 640, 480) as eye:
            for text in ("hello host", "hello again"):
                webcam.show(code(text))
                wait_until_seen(eye, text)


def test_nodes_that_take_no_pictures_are_named() -> None:
    """With the command that makes one."""
    assert not Path("/dev/video99").exists()
    with pytest.raises(WebcamError, match="sudo modprobe v4l2loopback"):
        V4l2Webcam("/dev/video99")
    with pytest.raises(
        WebcamError, match="is no V4L2 output to write to; name another device, or make one: sudo modprobe v4l2loopback"
    ):
        V4l2Webcam(camera_node("vivid-000-vid-cap"))
    with pytest.raises(WebcamError, match="it is no V4L2 device"):
        V4l2Webcam("/dev/null")
