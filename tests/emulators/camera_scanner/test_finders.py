from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from emulators.camera_scanner import finders, optics
from emulators.camera_scanner.finders import find_places
from emulators.camera_scanner.frames import Image
from emulators.camera_scanner.optics import View

Draw = Callable[..., Image]
DESK = (640, 480)


def on_a_desk(code: Image, view: View) -> tuple[Image, np.ndarray]:
    """A gray photograph of a code, and the corners of its symbol in it."""
    quiet = 4 * 5
    side = code.shape[0]
    plane = np.full((900, 900), 120, np.uint8)
    left = (900 - side) // 2
    plane[left : left + side, left : left + side] = code
    homography = optics.pose(DESK, (900, 900), view)
    near, far = left + quiet, left + side - quiet
    corners = np.array([(near, near, 1), (far, near, 1), (far, far, 1), (near, far, 1)], float) @ homography.T
    return optics.perspective(plane, homography, DESK), corners[:, :2] / corners[:, 2:]


@pytest.mark.parametrize(
    "view", [View(), View(roll=130), View(tilt=35), View(pan=-35, roll=20), View(tilt=25, pan=25, zoom=0.7)]
)
@pytest.mark.parametrize("inverted", [False, True])
def test_a_code_is_found_by_its_three_patterns(draw: Draw, view: View, inverted: bool) -> None:  # noqa: FBT001 - parametrized
    """However it is turned and leans; the corners follow the symbol."""
    picture, corners = on_a_desk(draw("a place", scale=5), view)
    (place,) = find_places(255 - picture if inverted else picture)
    assert np.array(place) == pytest.approx(corners, abs=6)


def test_codes_of_different_sizes_are_told_apart(draw: Draw) -> None:
    """No pattern belongs to two of them."""
    picture = np.full((600, 900), 255, np.uint8)
    for text, scale, (left, top) in (("one", 4, (10, 10)), ("two", 4, (150, 10)), ("three", 9, (400, 200))):
        code = draw(text, scale=scale)
        picture[top : top + code.shape[0], left : left + code.shape[1]] = code
    places = sorted(find_places(picture))
    assert [place[0] for place in places] == [
        pytest.approx(corner, abs=3) for corner in ((26, 26), (166, 26), (436, 236))
    ]


def test_the_patterns_of_a_code_that_was_read_belong_to_no_other(draw: Draw) -> None:
    """Of four codes in two rows, three were read: what is left is the fourth, and no place across them."""
    picture = np.full((400, 400), 255, np.uint8)
    places = []
    for number in range(4):
        code = draw(f"number {number}")
        left, top = number % 2 * 200, number // 2 * 200
        picture[top : top + code.shape[0], left : left + code.shape[1]] = code
        low, far = 20, code.shape[0] - 20
        places.append(
            ((left + low, top + low), (left + far, top + low), (left + far, top + far), (left + low, top + far))
        )
    (found,) = find_places(picture, places[:3])
    assert np.array(found) == pytest.approx(np.array(places[3]), abs=6)
    assert find_places(picture, places) == []


def test_specks_hide_no_pattern(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of them are erased before outlines are drawn, and what is found among them is what was found before."""
    picture, corners = on_a_desk(draw("a place", scale=5), View(roll=15))
    specks = np.random.default_rng(3).random(picture.shape) < 0.04
    for noisy in (np.where(specks, 255 - picture, picture).astype(np.uint8), optics.sensor_noise(picture, 25, 1)):
        (place,) = find_places(noisy)
        assert np.array(place) == pytest.approx(corners, abs=6)
        with monkeypatch.context() as patch:
            patch.setattr(finders, "_SPECKLED", noisy.size + 1)  # as if there were none
            assert find_places(noisy) == [place]


@given(arrays.arrays(np.bool_, (40, 40)), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_outlines_that_are_large_enough_remain_as_they_are(coarse: NDArray[np.bool_], seed: int) -> None:
    """To the point, whatever the picture: only smaller ones are gone."""
    dark = np.kron(coarse, np.ones((5, 5), np.bool_)) ^ (np.random.default_rng(seed).random((200, 200)) < 0.1)
    picture = np.where(dark, 255, 0).astype(np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finders, "_SPECKLED", 0)
        assert large_outlines(finders._without_specks(picture)) == large_outlines(picture)


def large_outlines(dark: Image) -> list[tuple[bool, bytes]]:
    """Of what may be a core, and of what may be the hole around one; in their order."""
    contours, tree = cv2.findContours(dark, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour, (_, _, _, parent) in zip(contours, np.asarray(tree)[0] if contours else [], strict=True):
        least = finders._SMALLEST * (5 if parent >= 0 else 3) / 7
        if min(cv2.boundingRect(contour)[2:]) > least:
            found.append((bool(parent >= 0), np.asarray(contour).tobytes()))
    return found


def test_where_there_are_no_three_patterns_there_is_no_place(draw: Draw) -> None:
    """Two of them, noise, and nothing at all."""
    two = draw("hello", scale=5)
    two[: 4 * 5 + 8 * 5, : 4 * 5 + 8 * 5] = 255
    noise = np.random.default_rng(1).integers(0, 256, (480, 640), dtype=np.uint8)
    for picture in (two, noise, np.zeros((1, 1), np.uint8), np.full((480, 640), 255, np.uint8)):
        assert find_places(picture) == []


def test_a_carpet_of_patterns_ends_soon() -> None:
    """Thousands of squares in squares are no reason to compare each with each."""
    finder = np.full((9, 9), 255, np.uint8)
    finder[1:8, 1:8], finder[2:7, 2:7], finder[3:6, 3:6] = 0, 255, 0
    carpet = np.tile(np.kron(finder, np.ones((2, 2), np.uint8)), (60, 80))
    assert find_places(np.asarray(carpet, np.uint8)) == []


@settings(deadline=None, max_examples=60)
@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)))
def test_any_picture_has_places_or_none(picture: Image) -> None:
    """Never an error."""
    assert isinstance(find_places(picture), list)
