"""Frames from a camera of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from emulators.camera_scanner.frames import CameraStopped, Frame, NoSuchCamera, require_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from emulators.env import Clock


class Capture(Protocol):
    """What is needed of ``cv2.VideoCapture``."""

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether there is a camera."""
        ...

    def read(self) -> tuple[bool, NDArray[np.uint8]]:
        """Whether a picture came, and the picture."""
        ...

    def release(self) -> None:
        """Let go of the camera."""
        ...


def _open(index: int) -> Capture:
    # OpenCV's stubs promise float pixels too, which no camera delivers.
    return cv2.VideoCapture(index)  # type: ignore[return-value]


class Webcam:
    """The camera with this index (0 is /dev/video0 on Linux).

    Args:
        index: which camera.
        clock: stamps the frames, with its monotonic time.
        open_capture: opens the camera; replaced where there is none.

    Raises:
        NoSuchCamera: if it cannot be opened.
    """

    def __init__(self, index: int, clock: Clock, open_capture: Callable[[int], Capture] = _open) -> None:
        self.name = f"camera {index}"
        self._clock = clock
        self._capture = open_capture(index)
        if not self._capture.isOpened():
            self._capture.release()
            raise NoSuchCamera(f"{self.name} cannot be opened; this machine has {_cameras()}")

    def frames(self) -> Iterator[Frame]:
        """Frames until the camera is unplugged or fails.

        Raises:
            CameraStopped: when it delivers no more.
        """
        delivered = 0
        while True:
            taken, image = self._capture.read()
            if not taken:
                raise CameraStopped(f"{self.name} stopped: no picture came after {delivered}")
            delivered += 1
            yield Frame(require_image(np.asarray(image, np.uint8)), self._clock.monotonic(), self.name)

    def close(self) -> None:
        """Let go of the camera."""
        self._capture.release()


def _cameras() -> str:
    """The devices that could have been meant, for people."""
    return ", ".join(sorted(str(device) for device in Path("/dev").glob("video*"))) or "no camera"
