"""Frames from a camera of this machine."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from emulators.camera_scanner.frames import CameraRefused, CameraStopped, Frame, NoSuchCamera, require_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from emulators.env import Clock


class Capture(Protocol):
    """What is needed of ``cv2.VideoCapture``."""

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether there is a camera."""
        ...

    def grab(self) -> bool:
        """Whether a picture came."""
        ...

    def retrieve(self) -> tuple[bool, NDArray[np.uint8]]:
        """Whether it could be unpacked, and the picture."""
        ...

    def set(self, propId: int, value: float) -> bool:  # noqa: N803 - OpenCV's name
        """Whether the driver took a setting."""
        ...

    def get(self, propId: int) -> float:  # noqa: N803 - OpenCV's name
        """A setting."""
        ...

    def release(self) -> None:
        """Let go of the camera."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """What is asked of a camera; None leaves it as its driver has it."""

    size: tuple[int, int] | None = None
    """Width and height in pixels."""
    exposure: float | None = None
    """In the driver's units (0.1 ms for most); switches automatic exposure off."""
    focus: float | None = None
    """In the driver's units; switches autofocus off."""


AS_IT_IS = Settings()
_USUAL_RATE = 30.0
_CLOCKS_DIFFER = 1.0  # seconds by which a stamp may lie outside of the time in which its picture can have been taken
_MOST_KEPT = 4  # the buffers that OpenCV asks of a V4L2 driver
_MANUAL_EXPOSURE, _NO_AUTOFOCUS = 1, 0  # V4L2_EXPOSURE_MANUAL; V4L2_CID_FOCUS_AUTO off


def _open(index: int) -> Capture:
    return cv2.VideoCapture(index)  # type: ignore[return-value]  # its stubs promise float pixels, which no camera has


class Webcam:
    """The camera with this index (0 is /dev/video0 on Linux).

    Args:
        index: which camera.
        clock: stamps the frames, with its monotonic time.
        open_capture: opens the camera; replaced where there is none.
        settings: what is asked of it.
        kernel_time: the clock by which the kernel stamps pictures; replaced with the camera.

    Raises:
        NoSuchCamera: if it cannot be opened.
        CameraRefused: if its driver does not do what is asked.
    """

    def __init__(
        self,
        index: int,
        clock: Clock,
        open_capture: Callable[[int], Capture] = _open,
        *,
        settings: Settings = AS_IT_IS,
        kernel_time: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = f"camera {index}"
        self._clock = clock
        self._oldest: float | None = None
        """How long ago (seconds) a picture may have been taken; known once the driver has told when the first one was.

        One frame interval and the way to us: of two pictures that agree, one was taken since somebody asked for them.
        """
        self._interval = 1 / _USUAL_RATE
        self._kernel_time = kernel_time
        self._opened_at = kernel_time()
        self._capture = open_capture(index)
        if not self._capture.isOpened():
            self._capture.release()
            raise NoSuchCamera(f"{self.name} cannot be opened; this machine has {_cameras()}")
        try:
            self._ask(settings)
        except CameraRefused:
            self._capture.release()
            raise

    def frames(self) -> Iterator[Frame]:
        """Frames until the camera is unplugged or fails; each is what the camera sees now.

        A driver keeps the next few pictures (four in Linux) until somebody takes them, and takes no more meanwhile: to who
        has not looked for a while it would show what there was then, several times over. Where it does not tell when they
        were taken, each call throws so many away at first.

        Raises:
            CameraStopped: when it delivers no more.
        """
        delivered = 0
        for _ in range(_MOST_KEPT if self._oldest == math.inf else 0):
            self._capture.grab()
        while True:
            taken, image = self._capture.retrieve() if self._grab_fresh() else (False, None)
            if not taken:
                raise CameraStopped(f"{self.name} stopped: no picture came after {delivered}")
            delivered += 1
            yield Frame(require_image(np.asarray(image, np.uint8)), self._clock.monotonic(), self.name)

    def _grab_fresh(self) -> bool:
        """Take the first picture that is not an old one; whether one came."""
        age = 0.0
        for _ in range(_MOST_KEPT + 1):
            if not self._capture.grab():
                return False
            now, taken_at = self._kernel_time(), self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if self._oldest is None:
                # V4L2 stamps pictures by the clock that we have too; what others tell there cannot be compared with it.
                is_ours = self._opened_at - _CLOCKS_DIFFER <= taken_at <= now + _CLOCKS_DIFFER
                rate = self._capture.get(cv2.CAP_PROP_FPS)
                self._interval = 1 / (rate if rate > 0 else _USUAL_RATE)
                self._oldest = self._interval if is_ours else math.inf
            age = now - taken_at
            if age <= self._oldest:
                if self._oldest < math.inf:
                    # On a machine that is no longer busy the way is short again.
                    self._oldest = min(self._oldest, max(age, 0.0) + self._interval)
                return True
        # The driver had kept all but the last, which was taken since: what makes that one old is its way to us.
        self._oldest = age + self._interval
        return True

    def close(self) -> None:
        """Let go of the camera."""
        self._capture.release()

    def _ask(self, settings: Settings) -> None:
        if settings.size is not None:
            width, height = settings.size
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
            # A driver that lacks a size takes its nearest one, and says so only when it is asked.
            found = tuple(
                int(self._capture.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
            )
            if found != settings.size:
                raise CameraRefused(f"{self.name} has no size {width}x{height}; the nearest is {found[0]}x{found[1]}")
        for name, value, automatic, off, setting in (
            ("exposure", settings.exposure, cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL_EXPOSURE, cv2.CAP_PROP_EXPOSURE),
            ("focus", settings.focus, cv2.CAP_PROP_AUTOFOCUS, _NO_AUTOFOCUS, cv2.CAP_PROP_FOCUS),
        ):
            if value is None:
                continue
            self._capture.set(automatic, off)  # not every driver with a setting has an automatic one too
            if not self._capture.set(setting, value):
                raise CameraRefused(f"{self.name} has no {name} that can be set to {value:g}")


def _cameras() -> str:
    """The devices that could have been meant, for people."""
    return ", ".join(sorted(str(device) for device in Path("/dev").glob("video*"))) or "no camera"
