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

    def grab(self) -> bool:
        """Wait for the next picture."""
        self.clock.advance(0.1)
        return bool(self.pictures)

    def retrieve(self) -> tuple[bool, Image]:
        """The picture."""
        return True, self.pictures.pop(0)

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


class KeepingCapture(FakeCapture):
    """A driver that keeps the first four pictures that nobody takes, and then takes no more; 10 a second, stamped or not."""

    def __init__(self, clock: SimulatedClock, *, stamped: bool = True, late: float = 0.0) -> None:
        super().__init__([np.zeros((2, 2), np.uint8)], clock)
        self.stamped, self.late = stamped, late
        self.taken = 0
        self.kept: list[float] = []
        self.stamp = self.last = clock.monotonic()

    def grab(self) -> bool:
        """The oldest that it kept, else the next."""
        while len(self.kept) < 4 and self.last + 0.1 <= self.clock.monotonic():
            self.last += 0.1
            self.kept.append(self.last)
        if not self.kept:
            self.clock.advance(self.last + 0.1 - self.clock.monotonic())
            return self.grab()
        self.last = self.clock.monotonic() if len(self.kept) == 4 else self.last
        self.stamp = self.kept.pop(0)
        self.taken += 1
        return True

    def retrieve(self) -> tuple[bool, Image]:
        """When it was taken, in tenths of a second."""
        return True, np.full((2, 2), round(self.stamp * 10), np.uint8)

    def get(self, propId: int) -> float:  # noqa: N803 - OpenCV's name
        """Its rate, and the stamp of the picture."""
        return {
            cv2.CAP_PROP_FPS: 10.0,
            cv2.CAP_PROP_POS_MSEC: (self.stamp - self.late) * 1000 if self.stamped else 0.0,
        }[propId]


def pictures_around_a_pause(*, stamped: bool) -> list[int]:
    """Three, and twice after five seconds in which nobody looks two more: when they were taken, in tenths of a second."""
    clock = SimulatedClock()
    clock.advance(5.0)
    capture = KeepingCapture(clock, stamped=stamped)
    frames = Webcam(0, clock, lambda _: capture, kernel_time=clock.monotonic).frames()
    taken = [int(next(frames).image[0, 0]) for _ in range(3)]
    for _ in range(2):
        clock.advance(5.0)
        taken += [int(next(frames).image[0, 0]) for _ in range(2)]
    return taken


def test_what_the_driver_kept_while_nobody_looked_is_no_picture_of_now() -> None:
    """A display that shows another code since then is not read as the one before."""
    assert pictures_around_a_pause(stamped=True) == [51, 52, 53, 104, 105, 156, 157]


def test_a_driver_that_does_not_tell_when_pictures_were_taken_gives_them_all() -> None:
    """Nothing is thrown away that might be new, while somebody looks."""
    assert pictures_around_a_pause(stamped=False) == [51, 52, 53, 54, 55, 56, 57]


def test_whoever_begins_to_look_again_through_such_a_driver_sees_what_is_there_now() -> None:
    """What it can have kept is thrown away."""
    clock = SimulatedClock()
    clock.advance(5.0)
    capture = KeepingCapture(clock, stamped=False)
    camera = Webcam(0, clock, lambda _: capture, kernel_time=clock.monotonic)
    assert int(next(camera.frames()).image[0, 0]) == 51
    clock.advance(5.0)
    assert int(next(camera.frames()).image[0, 0]) >= 101


def test_pictures_that_are_always_late_are_not_waited_for_again_and_again() -> None:
    """On a slow bus each takes seconds from the camera to here: that is learnt once, and old ones are still left out."""
    clock = SimulatedClock()
    clock.advance(5.0)
    capture = KeepingCapture(clock, late=0.7)
    frames = Webcam(0, clock, lambda _: capture, kernel_time=clock.monotonic).frames()
    next(frames)
    before = capture.taken
    for _ in range(20):
        next(frames)
    assert capture.taken == before + 20
    clock.advance(5.0)
    assert next(frames).image[0, 0] >= 120
    # The bus is fast again: what is learnt is unlearnt, and a picture half a second old is an old one.
    capture.late = 0.0
    next(frames)
    clock.advance(0.5)
    asked = clock.monotonic()
    assert next(frames).image[0, 0] >= round(asked * 10) - 1
