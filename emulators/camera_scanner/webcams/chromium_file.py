"""A webcam for Chromium that shows something else whenever one likes: a video file of one frame, overwritten in place.

Chromium's fake capture device plays a file in a loop and reads each frame anew from its place in the file. A new frame is
therefore seen with the next picture that Chromium takes, without a restart. Renaming a file over it, truncating it or
using a pipe does not work: the stream ends or goes on showing the old file.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

import numpy as np

from emulators.camera_scanner.webcams.packing import fitted, planes

if TYPE_CHECKING:
    from pathlib import Path

    from emulators.camera_scanner.frames import Image

_FRAME_MARK = b"FRAME\n"
_LONGEST_HEADER = 200
"""Chromium looks for the first frame in no more bytes than these."""


class ChromiumFileWebcam:
    """A ``.y4m`` file that Chromium takes for a webcam; black until something is shown.

    Args:
        path: where the file is made; must end in ``.y4m``, by which Chromium knows the format.
        size: width and height in pixels, both even.
        frames_per_second: how often Chromium takes a picture; whole numbers only, since Chromium divides so.

    Raises:
        ValueError: if Chromium could not play such a file.
    """

    def __init__(self, path: Path, size: tuple[int, int] = (640, 480), frames_per_second: int = 30) -> None:
        width, height = size
        if path.suffix != ".y4m":
            raise ValueError(f"Chromium plays webcam files that end in .y4m, found {path.name}")
        if width % 2 or height % 2 or not 2 <= min(size) <= max(size) <= 4096:
            raise ValueError(f"a webcam file has even sides of 2 to 4096 pixels, found {width}x{height}")
        if not 1 <= frames_per_second <= 120:
            raise ValueError(f"a webcam file has 1 to 120 frames a second, found {frames_per_second}")
        self.path = path.absolute()
        self.size = size
        self.frames_per_second = frames_per_second
        header = f"YUV4MPEG2 W{width} H{height} F{frames_per_second}:1 Ip A1:1 C420jpeg\n".encode() + _FRAME_MARK
        assert len(header) <= _LONGEST_HEADER
        self._offset = len(header)
        black = np.zeros((height, width, 3), np.uint8)
        # Whole before Chromium can open it: a partial frame makes it crash.
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        os.pwrite(self._file, header + planes(black), 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def arguments(self) -> tuple[str, ...]:
        """What to give to Chromium on its command line; a page that asks for a camera then gets this one."""
        return (
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={self.path}",
            "--use-fake-ui-for-media-stream",
        )

    def show(self, image: Image) -> None:
        """From the next picture that Chromium takes, let it see ``image``, fitted into the frame with black edges.

        Raises:
            ImageError: if it is no picture.
        """
        os.pwrite(self._file, planes(fitted(image, self.size)), self._offset)

    def close(self) -> None:
        """Let go of the file; Chromium may go on playing its last frame. Closing twice is allowed."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
