from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from authrig.pictures import picture_from_png, print_code
from emulators.camera_scanner.frames import Image, ImageError
from emulators.camera_scanner.webcams.usb import UsbWebcam
from emulators.usb.usb_identity import UsbIdentity
from emulators.usb.usbip_function import composite_device
from emulators.usb.usbip_server import UsbIpServer
from tests.codes import read_patiently
from tests.emulators.usb.usbip_host import UsbIpHost
from tests.emulators.usb.video_host import VideoHost

SIZES = ((640, 480), (320, 240), (1280, 720))


def _code(text: str) -> Image:
    return picture_from_png(print_code(text))


@contextmanager
def _plugged() -> Iterator[tuple[UsbWebcam, VideoHost]]:
    with UsbWebcam() as webcam, UsbIpServer(port=0) as server:
        server.plug_in(composite_device(UsbIdentity(0x1209, 0x0003, 0x0100, "Authrig", "camera"), webcam.function))
        usb = UsbIpHost(server.address)
        try:
            yield webcam, VideoHost(usb)
        finally:
            usb.socket.close()


def _unpack(picture: bytes, format_number: int, size: tuple[int, int]) -> Image:
    data = np.frombuffer(picture, np.uint8)
    if format_number == 1:
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert decoded is not None
        assert decoded.shape == (size[1], size[0], 3)
        return np.asarray(decoded, np.uint8)
    return np.asarray(cv2.cvtColor(data.reshape(size[1], size[0], 2), cv2.COLOR_YUV2BGR_YUYV), np.uint8)


@pytest.mark.parametrize("format_number", [1, 2])
@pytest.mark.parametrize("frame", [1, 2, 3])
def test_a_host_sees_what_is_shown(format_number: int, frame: int) -> None:
    """In each format and size; black at first, and something else as soon as it is shown."""
    size = SIZES[frame - 1]
    with _plugged() as (webcam, host):
        host.start(format_number, frame)
        assert _unpack(host.picture(), format_number, size).max() <= 20
        for text in ("one", "two"):
            webcam.show(_code(text))
            host.picture()  # may have begun before
            pictures = (_unpack(host.picture(), format_number, size) for _ in range(3))
            assert [read.data for read in read_patiently(list(pictures)[-1])] == [text.encode()]


def test_what_is_no_picture_leaves_the_last_one() -> None:
    """And what was shown may be changed by its owner afterwards."""
    with _plugged() as (webcam, host):
        picture = _code("mine")
        webcam.show(picture)
        picture[:] = 0
        with pytest.raises(ImageError):
            webcam.show(np.zeros((0, 0), np.uint8))
        host.start(2, 1)
        assert [read.data for read in read_patiently(_unpack(host.picture(), 2, (640, 480)))] == [b"mine"]


def test_noise_fits_into_the_pictures_that_were_agreed_on() -> None:
    """The worst that a JPEG can be asked to hold."""
    noise = np.random.default_rng(3).integers(0, 256, (720, 1280, 3)).astype(np.uint8)
    with _plugged() as (webcam, host):
        webcam.show(noise)
        for frame in (1, 2, 3):
            agreed = host.start(1, frame)
            picture = host.picture()
            assert len(picture) <= agreed.picture_bytes
            _unpack(picture, 1, SIZES[frame - 1])
            host.stop()
