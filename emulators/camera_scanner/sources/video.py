"""Frames from a video file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from emulators.camera_scanner.frames import EmptyVideo, Frame, TruncatedVideo, UnreadableFile, require_image
from emulators.camera_scanner.sources.files import for_opencv, read_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = 16
_SIGNATURES = (
    (8, b"AVI "),
    (4, b"ftyp"),  # MP4, MOV
    (4, b"moov"),
    (4, b"mdat"),
    (4, b"wide"),
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska, WebM
    (0, b"OggS"),
    (0, b"\x00\x00\x01\xba"),  # MPEG
    (0, b"\x00\x00\x01\xb3"),
    (0, b"YUV4MPEG2 "),
    (0, b"\xff\xd8\xff"),  # Motion JPEG
)
# FFmpeg opens much more: plain text as a picture of that text, play lists that make it fetch what they name.

_TOLERANCE = 0.05
"""A share: some containers tell only how long they are, and a count estimated from that may be a little too large."""


def is_video(head: bytes) -> bool:
    """Whether a file that begins with ``head`` (16 bytes or more) is a video of a format that is accepted."""
    return any(head.startswith(signature, offset) for offset, signature in _SIGNATURES)


class VideoFile:
    """A video file (AVI, MP4, MOV, Matroska, WebM, Ogg, MPEG, Motion JPEG, Y4M); time is the video's own.

    Raises:
        UnreadableFile: if it cannot be read, or holds no video of such a format.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self.name = str(path)
        if not is_video(read_file(self._path, _HEAD)):
            raise UnreadableFile(f"{path} holds no video of a known format")
        # An absolute path cannot be taken for a URL or a device.
        self._capture = cv2.VideoCapture(for_opencv(self._path.resolve()), cv2.CAP_FFMPEG)
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
