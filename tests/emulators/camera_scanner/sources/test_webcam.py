from collections.abc import Callable

import cv2
import numpy as np
import pytest

from emulators.camera_scanner.frames import CameraRefused, CameraStopped, Image, NoSuchCamera
from emulators.camera_scanner.sources.webcam import Settings, Webcam
from emulators.env import SimulatedClock


class FakeCapture:
    """A camera that delivers a few pictures, a tenth of a second apart, and is then unplugged."""

    def __init__(self, pictures: list[Image], clock: SimulatedClock) -> None:
        self.pictures = pictures
        self.clock = clock
        self.released = 0
        self.settings: dict[int, float] = {}

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """There is a camera if it has pictures."""
        return bool(self.pictures)

    def read(self) -> tuple[bool, Image]:
        """The next picture."""
        self.clock.advance(0.1)
        return (True, self.pictures.pop(0)) if self.pictures else (False, np.zeros((0, 0), np.uint8))

    def set(self, propId: int, value: float) -> bool:  # noqa: N803 - OpenCV's name
        """Only its focus, up to 255."""
        self.settings[propId] = value
        return propId == cv2.CAP_PROP_FOCUS and value <= 255

    def get(self, propId: int) -> float:  # noqa: N803 - OpenCV's name
        """Its one size."""
        return {cv2.CAP_PROP_FRAME_WIDTH: 640.0, cv2.CAP_PROP_FRAME_HEIGHT: 480.0}.get(propId, 0.0)

    def release(self) -> None:
        """Count."""
        self.released += 1


def camera_with(count: int) -> tuple[Callable[[int], FakeCapture], FakeCapture, SimulatedClock]:
    """What opens a camera that delivers ``count`` pictures."""
    clock = SimulatedClock()
    capture = FakeCapture([np.full((2, 2), n, np.uint8) for n in range(count)], clock)
    return lambda _: capture, capture, clock


def test_frames_come_with_the_time_at_which_they_were_taken() -> None:
    """Until the camera is unplugged, which is said by name."""
    open_capture, capture, clock = camera_with(3)
    camera = Webcam(2, clock, open_capture)
    frames = camera.frames()
    taken = [next(frames) for _ in range(3)]
    assert [frame.time for frame in taken] == pytest.approx([0.1, 0.2, 0.3])
    assert [int(frame.image[0, 0]) for frame in taken] == [0, 1, 2]
    assert taken[0].source == "camera 2"
    with pytest.raises(CameraStopped, match=r"camera 2 stopped: no picture came after 3$"):
        next(frames)
    camera.close()
    assert capture.released == 1


def test_a_camera_that_cannot_be_opened_is_named_and_let_go() -> None:
    """The sentence says which cameras there are."""
    open_capture, capture, clock = camera_with(0)
    with pytest.raises(NoSuchCamera, match=r"camera 5 cannot be opened; this machine has (no camera|/dev/video)"):
        Webcam(5, clock, open_capture)
    assert capture.released == 1


def test_an_index_that_no_machine_has_is_no_such_camera() -> None:
    """OpenCV itself agrees."""
    with pytest.raises(NoSuchCamera):
        Webcam(963, SimulatedClock())


def test_size_exposure_and_focus_are_asked_of_the_driver() -> None:
    """What it has is set, with autofocus off; what it lacks is told, and the camera let go."""
    open_capture, capture, clock = camera_with(1)
    Webcam(0, clock, open_capture, settings=Settings(size=(640, 480), focus=40))
    assert (capture.settings[cv2.CAP_PROP_FOCUS], capture.settings[cv2.CAP_PROP_AUTOFOCUS]) == (40, 0)
    assert cv2.CAP_PROP_EXPOSURE not in capture.settings
    assert capture.released == 0
    for settings, sentence in (
        (Settings(size=(1920, 1080)), "camera 0 has no size 1920x1080; the nearest is 640x480"),
        (Settings(exposure=100), "camera 0 has no exposure that can be set to 100"),
        (Settings(focus=300), "camera 0 has no focus that can be set to 300"),
    ):
        capture.released = 0
        with pytest.raises(CameraRefused, match=sentence):
            Webcam(0, clock, open_capture, settings=settings)
        assert capture.released == 1
