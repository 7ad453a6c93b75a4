import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.camera_scanner.frames import ImageError
from emulators.camera_scanner.webcams.packing import fitted, jpeg, planes, yuyv


@given(width=st.integers(1, 500), height=st.integers(1, 500), gray=st.booleans())
def test_a_picture_is_fitted_whole_into_the_middle(width: int, height: int, *, gray: bool) -> None:
    """It touches two opposite edges, keeps its proportions to the pixel, and the rest is black."""
    frame = fitted(np.full((height, width) if gray else (height, width, 3), 255, np.uint8), (64, 48))
    assert frame.shape == (48, 64, 3)
    rows, columns = np.flatnonzero(frame.any(axis=(1, 2))), np.flatnonzero(frame.any(axis=(0, 2)))
    assert len(rows) == 48 or len(columns) == 64
    assert abs(rows[0] - (47 - rows[-1])) <= 1
    assert abs(columns[0] - (63 - columns[-1])) <= 1
    assert abs(len(columns) - min(64, 48 * width / height)) <= 1


def test_what_is_no_picture_is_refused() -> None:
    """With the scanner's own error."""
    with pytest.raises(ImageError):
        fitted(np.zeros((0, 5), np.uint8), (64, 48))


def test_others_unpack_what_is_packed() -> None:
    """OpenCV gets the picture back, as well as each format can keep it: a smooth one within a few shades."""
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    frame = np.stack([np.tile(ramp, (48, 1)), np.full((48, 64), 90, np.uint8), np.tile(ramp[::-1], (48, 1))], axis=2)
    packed = np.frombuffer(yuyv(frame), np.uint8)
    assert packed.size == 2 * 64 * 48
    back = [
        cv2.cvtColor(packed.reshape(48, 64, 2), cv2.COLOR_YUV2BGR_YUYV),
        cv2.cvtColor(np.frombuffer(planes(frame), np.uint8).reshape(72, 64), cv2.COLOR_YUV2BGR_I420),
        cv2.imdecode(np.frombuffer(jpeg(frame, 10_000), np.uint8), cv2.IMREAD_COLOR),
    ]
    for picture in back:
        assert picture is not None
        assert np.abs(picture.astype(int) - frame).mean() < 6


def test_a_jpeg_never_outgrows_its_room() -> None:
    """Noise is packed with less quality; where even that does not fit, it is said."""
    noise = np.random.default_rng(4).integers(0, 256, (240, 320, 3)).astype(np.uint8)
    generous = jpeg(noise, 10**6)
    assert len(generous) > 10_000
    for room in (len(generous), len(generous) - 1, 30_000, 10_000):
        packed = jpeg(noise, room)
        assert len(packed) <= room
        assert cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_COLOR) is not None
    with pytest.raises(ValueError, match="found 100"):
        jpeg(noise, 100)
