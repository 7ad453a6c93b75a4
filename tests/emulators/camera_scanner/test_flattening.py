import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from emulators.camera_scanner.flattening import MARGIN, SIDE, cut_out, flattened, framed
from emulators.camera_scanner.frames import Corners, Image
from tests.codes import read_patiently

Draw = Callable[..., Image]


def around_a_bottle(code: Image, half_angle: float, bow: float, turns: int) -> Image:
    """A label on a bottle seen from the front: ``half_angle`` degrees of it to either side, seen ``bow`` from above."""
    sheet = np.ascontiguousarray(np.rot90(code, turns))
    side = sheet.shape[0]
    half = math.radians(half_angle)
    angles = np.arcsin(np.linspace(-1, 1, side) * math.sin(half))
    sag = (np.cos(angles) - math.cos(half)) / (1 - math.cos(half)) * bow * side
    rows = np.arange(side + round(abs(bow) * side))[:, None] - (sag if bow > 0 else sag - bow * side)[None, :]
    columns = np.repeat(((angles / half + 1) / 2 * (side - 1))[None, :], rows.shape[0], axis=0)
    label = cv2.remap(
        sheet, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR, borderValue=(140.0,)
    )
    return np.pad(np.asarray(label, np.uint8), 60, constant_values=140)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("bow", [0.12, -0.12])
def test_a_label_on_a_bottle_is_read(draw: Draw, turns: int, bow: float) -> None:
    """Whichever way round it was put on, seen from above or below; no look at the picture as it is reads it."""
    data = bytes(range(80))
    picture = around_a_bottle(draw(data, scale=8), 50, bow, turns)
    assert read_patiently(picture) == ()
    (read,) = read_patiently(picture, thorough=True)
    assert (read.data, read.stage) == (data, "unrolled")
    assert min(min(corner) for corner in read.corners) > 60


def test_a_flattened_code_gets_its_quiet_zone_back(draw: Draw) -> None:
    """Black on white and white on black, with print up to its edge."""
    code = draw("hello", scale=8)
    inner = code[32:-32, 32:-32]
    corners: Corners = (
        (40, 40),
        (40 + inner.shape[1], 40),
        (40 + inner.shape[1], 40 + inner.shape[0]),
        (40, 40 + inner.shape[0]),
    )
    for picture, paper in ((inner, 255), (255 - inner, 0)):
        crowded = np.pad(picture, 40, constant_values=255 - paper)
        frame = framed(flattened(crowded, corners))
        assert frame.shape == (SIDE, SIDE)
        assert set(np.unique(frame[: MARGIN - 1])) == {paper}
        assert [read.data for read in read_patiently(frame)] == [b"hello"]


def test_what_is_cut_out_is_no_larger_than_is_of_use(draw: Draw) -> None:
    """A code of thousands of pixels is shrunk, its corners with it; a place outside of the picture gives the picture."""
    code = draw("hello", scale=100)
    corners: Corners = ((400, 400), (2500, 400), (2500, 2500), (400, 2500))
    part, inside = cut_out(code, corners)
    assert max(part.shape) < 1500
    assert [read.data for read in read_patiently(flattened(part, inside))] == [b"hello"]
    beyond: Corners = ((9000, 9000), (9100, 9000), (9100, 9100), (9000, 9100))
    assert cut_out(code, beyond) == (code, beyond)
