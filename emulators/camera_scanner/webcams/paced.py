"""What webcams share that send pictures by themselves, so many a second, whether there are new ones or not."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from emulators.camera_scanner.webcams.packing import fitted
from emulators.env import Clock, SystemClock
from emulators.usb.service import Service

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image


class PacedWebcam(Service):
    """Sends the picture that was shown last, again and again; black at first.

    Args:
        size: width and height of what is sent.
        frames_per_second: how often.
        clock: when the next one is due.
    """

    def __init__(self, size: tuple[int, int], frames_per_second: float, clock: Clock | None = None) -> None:
        if not 0 < frames_per_second <= 240:
            raise ValueError(f"expected more than 0 and up to 240 frames a second, found {frames_per_second:g}")
        super().__init__()
        self.size = size
        self._period = 1 / frames_per_second
        self._clock = clock or SystemClock()
        self._frame: Image = np.zeros((size[1], size[0], 3), np.uint8)

    @abstractmethod
    def _put(self, frame: Image) -> None:
        """Send a frame of this webcam's size; called in its own thread."""

    def show(self, image: Image) -> None:
        """From the next picture on, let others see ``image``, fitted into the frame with black edges.

        Raises:
            ImageError: if it is no picture.
        """
        frame = fitted(image, self.size)
        self._frame = frame.copy() if frame is image else frame

    def run(self) -> None:
        """Send until ``stop`` is called from another thread."""
        due = self._clock.monotonic()
        while not self._stopping:
            self._put(self._frame)
            due = max(due + self._period, self._clock.monotonic())
            self._wait({}, max(0.0, due - self._clock.monotonic()) * 1000)
