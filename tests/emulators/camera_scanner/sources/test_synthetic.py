from collections.abc import Callable
from itertools import islice, pairwise

import numpy as np
import pytest

from emulators.camera_scanner.frames import FrameSource, Image, ImageError, NothingToSee
from emulators.camera_scanner.preset import PresetError, preset_names
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import SeededRandom
from tests.codes import read_patiently

Draw = Callable[..., Image]
CHALLENGE = "OTQ1:" + "A1B2C3D4E5" * 15


@pytest.mark.parametrize("preset", preset_names())
def test_what_is_photographed_can_be_read(draw: Draw, preset: str) -> None:
    """Every preset shows a challenge well enough: all of 25 poses are read."""
    camera = SyntheticCamera(SeededRandom(3), preset)
    code = draw(CHALLENGE)
    pictures = [camera.photograph(code) for _ in range(25)]
    assert {picture.shape for picture in pictures} == {(480, 640, 3)}
    assert [[read.data for read in read_patiently(picture)] for picture in pictures] == [[CHALLENGE.encode()]] * 25


def test_the_same_seed_gives_the_same_frames_to_the_byte(draw: Draw) -> None:
    """Two cameras under one seed are twins, over pictures and frames; another seed or stream is another camera."""

    def film(random: SeededRandom) -> bytes:
        camera = SyntheticCamera(random, "office-desk", (320, 240))
        first = camera.photograph(draw("one"))
        camera.show(draw("two"))
        return first.tobytes() + b"".join(frame.image.tobytes() for frame in islice(camera.frames(), 3))

    assert film(SeededRandom(5)) == film(SeededRandom(5))
    assert film(SeededRandom(5)) != film(SeededRandom(6))
    assert film(SeededRandom(5)) != film(SeededRandom(5).fork("other"))


def test_the_hand_trembles_between_frames_but_does_not_jump(draw: Draw) -> None:
    """The code wanders by a few pixels, and no frame is like the one before it."""
    camera: FrameSource = SyntheticCamera(SeededRandom(4), "badge-at-kiosk")
    assert isinstance(camera, SyntheticCamera)
    camera.show(draw("hello"))
    frames = list(islice(camera.frames(), 30))
    places = np.array([np.mean(read_patiently(frame.image)[0].corners, axis=0) for frame in frames])
    assert 0.5 < places.std(axis=0).max() < 10
    assert np.abs(np.diff(places, axis=0)).max() < 10
    assert all(not np.array_equal(one.image, two.image) for one, two in pairwise(frames))
    assert [frame.time for frame in frames[:3]] == pytest.approx([0, 1 / 30, 2 / 30])


def test_each_photograph_has_a_pose_of_its_own(draw: Draw) -> None:
    """A hand never holds a badge twice alike."""
    camera, code = SyntheticCamera(SeededRandom(4)), draw("hello")
    one, two = (np.array(read_patiently(camera.photograph(code))[0].corners) for _ in range(2))
    assert np.abs(one - two).max() > 3


def test_before_a_picture_is_shown_there_is_nothing_to_see(draw: Draw) -> None:
    """Also after it was taken away again."""
    camera = SyntheticCamera(SeededRandom(1))
    with pytest.raises(NothingToSee, match=r"synthetic camera, desk, 640x480 has nothing before it"):
        next(camera.frames())
    camera.show(draw("hello"))
    frames = camera.frames()
    next(frames)
    camera.close()
    with pytest.raises(NothingToSee):
        next(frames)


def test_what_is_no_picture_cannot_be_shown_and_changes_nothing(draw: Draw) -> None:
    """The camera goes on showing what it showed."""
    camera = SyntheticCamera(SeededRandom(1))
    camera.show(draw("hello"))
    with pytest.raises(ImageError):
        camera.show(np.zeros((4, 4), np.float64))
    assert read_patiently(next(camera.frames()).image)[0].data == b"hello"


def test_colour_pictures_of_any_shape_can_be_shown() -> None:
    """A badge with a photo, a single pixel, a line."""
    camera = SyntheticCamera(SeededRandom(1), size=(64, 48))
    for shape in ((1, 1), (1, 500), (500, 1), (40, 30, 3), (700, 900, 3)):
        assert camera.photograph(np.zeros(shape, np.uint8)).shape == (48, 64, 3)


def test_impossible_cameras_are_refused() -> None:
    """By their preset's name or their size."""
    with pytest.raises(PresetError):
        SyntheticCamera(SeededRandom(1), "moon")
    with pytest.raises(ValueError, match="found 8x480"):
        SyntheticCamera(SeededRandom(1), size=(8, 480))
