import errno
import struct
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from emulators.camera_scanner.webcams.errors import WebcamError
from emulators.camera_scanner.webcams.v4l2_output import V4l2Webcam
from tests.leaks import nothing_left_open

QUERYCAP, S_FMT = 0x80685600, 0xC0D05605
OUTPUT, CAPTURE, WRITE, DEVICE_CAPS = 0x2, 0x1, 0x01000000, 0x80000000


class FakeDriver:
    """Answers the two calls as a driver does, and notes the format that it is asked for."""

    def __init__(self, capabilities: int = OUTPUT | WRITE, size: tuple[int, int] | None = None) -> None:
        self.capabilities = capabilities
        self.size = size
        self.name = b"fake"
        self.pixels = b"YUYV"
        self.asked: tuple[int, ...] = ()

    def __call__(self, _: int, request: int, argument: bytearray) -> object:
        """One ioctl."""
        if request == QUERYCAP:
            words = (0, self.capabilities | DEVICE_CAPS, self.capabilities)
            argument[:] = struct.pack("=16s32s32sIII12x", self.name, b"Fake camera", b"platform:fake", *words)
        else:
            assert request == S_FMT
            assert struct.unpack_from("=I", argument) == (2,)
            self.asked = struct.unpack_from("=IIII", argument, 8)
            width, height = self.size or self.asked[:2]
            struct.pack_into("=II4sIIII", argument, 8, width, height, self.pixels, 1, 2 * width, 2 * width * height, 8)
        return 0


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """A file in the place of a device."""
    path = tmp_path / "video7"
    path.touch()
    return path


def _wait_for(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_numbers_of_the_calls_are_the_kernels() -> None:
    """VIDIOC_QUERYCAP and VIDIOC_S_FMT of a 64-bit kernel, as strace shows them."""
    from emulators.camera_scanner.webcams import v4l2_output  # noqa: PLC0415 - only this test looks inside

    assert (v4l2_output._QUERYCAP, v4l2_output._S_FMT) == (QUERYCAP, S_FMT)


def test_the_picture_is_written_again_and_again(device: Path) -> None:
    """Whole frames in YUYV, black until something is shown, then what was shown."""
    driver = FakeDriver()
    with V4l2Webcam(device, (64, 48), 100, ioctl=driver) as webcam:
        assert driver.asked == (64, 48, int.from_bytes(b"YUYV", "little"), 1)
        _wait_for(lambda: device.stat().st_size >= 2 * 6144)
        webcam.show(np.full((48, 64), 255, np.uint8))
        shown = device.stat().st_size
        _wait_for(lambda: device.stat().st_size >= shown + 2 * 6144)
    frames = np.frombuffer(device.read_bytes(), np.uint8)
    assert frames.size % 6144 == 0
    pictures = [cv2.cvtColor(frame.reshape(48, 64, 2), cv2.COLOR_YUV2GRAY_YUYV) for frame in frames.reshape(-1, 6144)]
    assert pictures[0].max() <= 16
    assert pictures[-1].min() >= 235


def test_the_driver_has_the_last_word_about_the_size(device: Path) -> None:
    """Pictures are fitted into what it gives."""
    with V4l2Webcam(device, (640, 480), ioctl=FakeDriver(size=(720, 576))) as webcam:
        assert webcam.size == (720, 576)
        _wait_for(lambda: device.stat().st_size >= 2 * 720 * 576)


def test_what_cannot_be_written_to_is_named(device: Path, tmp_path: Path) -> None:
    """One sentence each, with what mends it, and no file left open."""
    with nothing_left_open():
        with pytest.raises(WebcamError, match=r"video9: there is none; make one: sudo modprobe v4l2loopback"):
            V4l2Webcam(tmp_path / "video9")
        with pytest.raises(WebcamError, match=r"video7: it is no V4L2 device"):
            V4l2Webcam(device)
        with pytest.raises(WebcamError, match=r"video7: Fake camera is no V4L2 output to write to; name another"):
            V4l2Webcam(device, ioctl=FakeDriver(CAPTURE | WRITE))
        driver = FakeDriver(CAPTURE)
        driver.name = b"v4l2 loopback"
        with pytest.raises(WebcamError, match=r"anew: sudo modprobe -r v4l2loopback && sudo modprobe v4l2loopback"):
            V4l2Webcam(device, ioctl=driver)
        driver = FakeDriver()
        driver.pixels = b"NV12"
        with pytest.raises(WebcamError, match=r"expected YUYV without padding, its driver offers NV12 640x480"):
            V4l2Webcam(device, ioctl=driver)

        def busy(_: int, request: int, argument: bytearray) -> object:
            if request == S_FMT:
                raise OSError(errno.EBUSY, "Device or resource busy")
            return FakeDriver()(0, request, argument)

        with pytest.raises(WebcamError, match=r"video7: another program feeds it"):
            V4l2Webcam(device, ioctl=busy)
        with pytest.raises(ValueError, match="found 0"):
            V4l2Webcam(device, frames_per_second=0, ioctl=FakeDriver())


def test_a_device_that_refuses_the_first_frame_is_named() -> None:
    """As one that is full."""
    with nothing_left_open(), pytest.raises(WebcamError, match="/dev/full: No space left on device"):
        V4l2Webcam("/dev/full", (64, 48), 100, ioctl=FakeDriver())


def test_a_device_that_goes_away_is_told_to_whoever_shows(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when its module is unloaded."""
    with V4l2Webcam(device, (64, 48), 100, ioctl=FakeDriver()) as webcam:

        def gone(_: bytes) -> None:
            raise OSError(errno.ENODEV, "No such device")

        monkeypatch.setattr(webcam, "_send", gone)
        assert webcam._thread is not None
        webcam._thread.join(10)
        with pytest.raises(WebcamError, match="video7: there is none; make one"):
            webcam.show(np.zeros((48, 64), np.uint8))
