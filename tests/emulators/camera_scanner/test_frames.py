import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from emulators.camera_scanner.frames import MAX_PIXELS, Frame, ImageError, require_image


@pytest.mark.parametrize("shape", [(1, 1), (480, 640), (480, 640, 3)])
def test_gray_and_colour_pictures_pass_untouched(shape: tuple[int, ...]) -> None:
    """What a camera delivers is taken as it is, without a copy."""
    image = np.zeros(shape, np.uint8)
    assert require_image(image) is image


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (b"\x00", "found bytes"),
        (None, "found NoneType"),
        (np.zeros((4, 4), np.float32), "found float32"),
        (np.zeros((4, 4, 4), np.uint8), r"found \(4, 4, 4\)"),
        (np.zeros(16, np.uint8), r"found \(16,\)"),
        (np.zeros((0, 640), np.uint8), "found 640x0"),
        (np.broadcast_to(np.uint8(0), (20_000, 20_000)), "found 20000x20000"),
    ],
)
def test_anything_else_is_refused_with_what_was_found(image: object, sentence: str) -> None:
    """The sentence names the expected and the found; twenty thousand pixels square are no camera's."""
    with pytest.raises(ImageError, match=sentence):
        require_image(image)


@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.int8, np.uint16, np.float64, np.bool_]),
        arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6),
    )
)
def test_an_array_is_either_a_picture_or_an_image_error(image: np.ndarray) -> None:
    """Exactly the arrays of bytes in two shapes pass."""
    is_picture = (
        image.dtype == np.uint8
        and image.ndim in {2, 3}
        and image.shape[2:] in {(), (3,)}
        and 0 < image.shape[0] * image.shape[1] <= MAX_PIXELS
    )
    try:
        require_image(image)
    except ImageError:
        assert not is_picture
    else:
        assert is_picture


def test_a_frame_cannot_be_changed() -> None:
    """Readers may keep a frame without copying it."""
    frame = Frame(np.zeros((2, 2), np.uint8), 0.0, "test")
    with pytest.raises(AttributeError):
        frame.time = 1.0  # type: ignore[misc] # what is tested


def test_importing_frames_loads_neither_numpy_nor_opencv() -> None:
    """The command line knows frames and their errors long before it needs a picture."""
    code = (
        "import sys, emulators.camera_scanner.frames; sys.exit(bool({'numpy', 'cv2', 'zxingcpp'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
