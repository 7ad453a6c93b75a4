"""Frames from a video file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from emulators.camera_scanner.frames import EmptyVideo, Frame, TruncatedVideo, UnreadableFile, require_image

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOLERANCE = 0.05
"""Some containers tell only how long they are, and a count estimated from that may be a little too large."""


class VideoFile:
    """A video file in any format that OpenCV's FFmpeg knows; time is the video's own.

    Raises:
        UnreadableFile: if there is no such file or it holds no video.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self.name = str(path)
        if not self._path.is_file():
            raise UnreadableFile(f"cannot read {path}: there is no such file")
        # An absolute path cannot be taken for a URL or a device.
        self._capture = cv2.VideoCapture(str(self._path.resolve()), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise UnreadableFile(f"{path} holds no video that can be read")

    def frames(self) -> Iterator[Frame]:
        """The pictures of the video from its beginning.

        Raises:
            EmptyVideo: if it holds none.
            TruncatedVideo: if it holds fewer than its header promises; those that it holds have been delivered.
        """
        promised = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        delivered, time = 0, 0.0
        while True:
            taken, image = self._capture.read()
            if not taken:
                break
            time = max(time, self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
            delivered += 1
            yield Frame(require_image(np.asarray(image, np.uint8)), time, self.name)
        if not delivered:
            raise EmptyVideo(f"{self._path} is a video without a single picture")
        if delivered < promised * (1 - _TOLERANCE) - 1:
            raise TruncatedVideo(f"{self._path} breaks off: it promises {promised:.0f} pictures and holds {delivered}")

    def close(self) -> None:
        """Close the file."""
        self._capture.release()
