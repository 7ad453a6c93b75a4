import errno
import struct
from pathlib import Path

import pytest

from emulators.camera_scanner.sources.v4l2 import picture_sizes

CAPTURE, METADATA = 0x0420_0001, 0x0480_0000
FORMATS = (b"MJPG", b"YUYV", b"\x01\x02AB")
STEPWISE = struct.pack("=6I", 32, 1920, 2, 24, 1080, 2)


class Driver:
    """Answers as Linux's uvcvideo and vivid do (linux/videodev2.h)."""

    def __init__(self, capabilities: int = CAPTURE, *, endless: bool = False) -> None:
        self.capabilities = capabilities
        self.endless = endless

    def ioctl(self, _file: int, request: int, data: bytearray) -> int:
        """One request; the numbers are those that the kernel's header gives."""
        index = int.from_bytes(data[:4], "little")
        if request == 0x80685600:  # VIDIOC_QUERYCAP
            assert len(data) == 104
            data[84:92] = struct.pack("=II", 0x8420_0001, self.capabilities)
        elif request == 0xC0405602:  # VIDIOC_ENUM_FMT
            assert len(data) == 64
            if index >= len(FORMATS) and not self.endless:
                raise OSError(errno.EINVAL, "no such format")
            data[44:48] = FORMATS[index % len(FORMATS)]
        elif request == 0xC02C564A:  # VIDIOC_ENUM_FRAMESIZES
            assert len(data) == 44
            self._size(index, bytes(data[4:8]), data)
        else:
            raise AssertionError(f"found request {request:#x}")
        return 0

    def _size(self, index: int, code: bytes, data: bytearray) -> None:
        if code == b"MJPG" and (index < 2 or self.endless):
            data[8:20] = struct.pack("=III", 1, 640 * (index + 1), 480 * (index + 1))
        elif code == b"YUYV" and index == 0:
            data[8:36] = struct.pack("=I", 3) + STEPWISE
        else:
            raise OSError(errno.EINVAL, "no such size")


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """Something that can be opened."""
    path = tmp_path / "video0"
    path.touch()
    return path


def test_formats_and_sizes_are_those_of_the_driver(device: Path) -> None:
    """Single sizes, the ends of a range, and a format without any."""
    assert picture_sizes(device, Driver().ioctl) == {
        "MJPG": ((640, 480), (1280, 960)),
        "YUYV": ((32, 24), (1920, 1080)),
        "??AB": (),
    }


def test_what_delivers_no_pictures_has_no_sizes(device: Path) -> None:
    """A webcam's second device carries metadata; a plain file and nothing at all cannot be asked."""
    assert picture_sizes(device, Driver(METADATA).ioctl) == {}
    assert picture_sizes(device) == {}
    assert picture_sizes(device / "nothing") == {}


def test_a_driver_without_an_end_is_not_asked_for_ever(device: Path) -> None:
    """64 formats and 64 sizes are enough."""
    assert len(picture_sizes(device, Driver(endless=True).ioctl)["MJPG"]) == 64
