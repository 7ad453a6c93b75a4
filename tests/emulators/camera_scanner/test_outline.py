from collections.abc import Callable

import cv2
import numpy as np
import pytest

from emulators.camera_scanner.decoders import Read
from emulators.camera_scanner.frames import Image, ImageError
from emulators.camera_scanner.outline import encode_png, outline
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import SeededRandom
from tests.codes import read_patiently

Draw = Callable[..., Image]


def greenish(image: Image) -> np.ndarray:
    """Where the picture has the colour of the outline."""
    parts = image.astype(int)
    return np.asarray((parts[:, :, 1] > 150) & (parts[:, :, 0] < 140) & (parts[:, :, 2] < 110))


def test_the_outline_runs_around_the_code_and_leaves_it_readable(draw: Draw) -> None:
    """Green along each side, nothing drawn over a module, the rest darker, and the frame itself untouched."""
    frame = SyntheticCamera(SeededRandom(1)).photograph(draw("hello"))
    before = frame.copy()
    reads = read_patiently(frame)
    drawn = outline(frame, reads)
    assert np.array_equal(frame, before)
    assert [read.data for read in read_patiently(drawn)] == [b"hello"]
    corners = np.array(reads[0].corners)
    for one, two in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        x, y = ((one + two) / 2).astype(int)
        assert greenish(drawn[y - 14 : y + 15, x - 14 : x + 15]).any()
    assert drawn[-5:, -5:].mean() < 0.7 * frame[-5:, -5:].mean()


def test_without_reads_the_picture_is_as_it_was(draw: Draw) -> None:
    """In colour, so that callers get one kind of picture."""
    gray = draw("hello")
    assert np.array_equal(outline(gray, ()), cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR))


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (30, 400), (480, 640), (3000, 2000)])
@pytest.mark.parametrize("data", [b"", b"\x1b[31m\xff\x00" * 40, "東京".encode()], ids=["empty", "binary", "wide"])
def test_any_read_can_be_drawn_on_any_picture(size: tuple[int, int], data: bytes) -> None:
    """Also one whose corners are outside of it, or all in one point."""
    for corners in (((-50.0, -50.0), (9e3, -9.0), (900.0, 900.0), (-1.0, 700.0)), ((3.0, 3.0),) * 4):
        read = Read(data, "]Q1", 40, "H", corners, "zxing-cpp", "direct", 1.0)
        assert outline(np.zeros(size, np.uint8), [read]).shape == (*size, 3)


def test_a_png_comes_back_pixel_for_pixel(draw: Draw) -> None:
    """Gray and colour; what is no picture is refused."""
    code = draw("hello")
    back = cv2.imdecode(np.frombuffer(encode_png(code), np.uint8), cv2.IMREAD_UNCHANGED)
    assert back is not None
    assert np.array_equal(back, code)
    with pytest.raises(ImageError):
        encode_png(np.zeros((0, 0), np.uint8))
