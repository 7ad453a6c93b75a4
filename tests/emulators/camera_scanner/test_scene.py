from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

from emulators.camera_scanner.frames import Image
from emulators.camera_scanner.preset import Scene
from emulators.camera_scanner.scene import draw_scene, fit
from tests.codes import read_patiently

KINDS = get_type_hints(Scene)


@pytest.mark.parametrize("surface", get_args(KINDS["surface"]))
@pytest.mark.parametrize("carrier", get_args(KINDS["carrier"]))
def test_every_scene_has_the_code_whole_in_its_middle(draw: Callable[..., Image], surface: Any, carrier: Any) -> None:
    """Whatever lies around it, nothing is drawn over the code, and at any share of the frame it can be drawn."""
    for share in (0.05, 0.95):
        draw_scene(draw("x"), Scene(surface, carrier, share), (320, 240))
    plane = draw_scene(draw("hello"), Scene(surface, carrier, 0.5), (640, 480))
    (read,) = read_patiently(plane)
    assert read.data == b"hello"
    middle = np.mean(read.corners, axis=0)
    assert middle == pytest.approx([plane.shape[1] / 2, plane.shape[0] / 2], abs=2)
    assert plane[:, :10].std() > 1


def test_fitting_keeps_each_module_where_it_was() -> None:
    """Enlarging and shrinking both give each pixel the mean of what it covers."""
    board: Image = np.array([[0, 255], [255, 0]], np.uint8)
    assert fit(board, 6)[:, :, 0].tolist() == np.kron(board, np.ones((3, 3), np.uint8)).tolist()
    assert fit(board, 3)[1, 1, 0] in {127, 128}
    assert fit(np.kron(board, np.ones((50, 50), np.uint8)), 2)[:, :, 1].tolist() == board.tolist()
    assert fit(np.zeros((10, 40), np.uint8), 20).shape == (5, 20, 3)
