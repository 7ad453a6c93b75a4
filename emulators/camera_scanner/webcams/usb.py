"""A webcam with a USB plug: what is shown is what Linux or Windows sees in ``/dev/video0`` or its camera app."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

import numpy as np

from emulators.camera_scanner.frames import require_image
from emulators.camera_scanner.webcams.packing import fitted, jpeg, yuyv
from emulators.usb.usbip_video import UsbVideo
from emulators.usb.video_modes import MODES, PixelFormat, VideoMode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emulators.camera_scanner.frames import Image
    from emulators.env import Clock


class UsbWebcam:
    """A camera that shows the picture it was shown last, in each format and size that its host asks for; black at first.

    Put ``function`` into a device and that on a bus; use this as a context manager meanwhile.

    Args:
        name: what it is called on the host.
        modes: formats and sizes, formats together.
        clock: when its next picture is due.
    """

    def __init__(
        self, name: str = "Authrig test camera", modes: Sequence[VideoMode] = MODES, clock: Clock | None = None
    ) -> None:
        self._lock = threading.Lock()
        self._image: Image = np.zeros((480, 640, 3), np.uint8)
        self._packed: dict[VideoMode, bytes] = {}
        self._video = UsbVideo(self._take_picture, name, modes, clock)
        self.function = self._video.function
        """What a composite device is made of."""

    def __enter__(self) -> Self:
        self._video.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def mode(self) -> VideoMode | None:
        """What the host has chosen last; None before."""
        return self._video.mode

    @property
    def watched(self) -> bool:
        """Whether a program takes pictures now."""
        return self._video.watched

    def show(self, image: Image) -> None:
        """From the next picture on, let its host see ``image``, fitted into the frame with black edges.

        Raises:
            ImageError: if it is no picture.
        """
        shown = require_image(image).copy()
        with self._lock:
            self._image = shown
            self._packed = {}

    def close(self) -> None:
        """Take no more pictures. Closing twice is allowed."""
        self._video.close()

    def _take_picture(self, mode: VideoMode) -> bytes:
        with self._lock:
            image, kept = self._image, self._packed
        if mode not in kept:  # packed once, however often it is sent
            frame = fitted(image, (mode.width, mode.height))
            kept[mode] = yuyv(frame) if mode.format is PixelFormat.YUYV else jpeg(frame, mode.most_bytes)
        return kept[mode]
