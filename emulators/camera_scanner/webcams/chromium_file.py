"""A webcam for Chromium that shows something else whenever one likes: a video file of one frame, overwritten in place.

Chromium's fake capture device plays a file in a loop and reads each frame anew from its place in the file. A new frame is
therefore seen with the next picture that Chromium takes, without a restart. Renaming a file over it, truncating it or
using a pipe does not work: the stream ends or goes on showing the old file.

A ``.y4m`` file is exact, to the pixel. A ``.mjpeg`` file has the look of a webcam that compresses; Chromium plays it at
30 frames a second whatever it is told.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from emulators.camera_scanner.webcams.packing import fitted, jpeg, planes

if TYPE_CHECKING:
    from pathlib import Path

    from emulators.camera_scanner.frames import Image

_FRAME_MARK = b"FRAME\n"
_LONGEST_HEADER = 200
"""Chromium looks for the first frame in no more bytes than these."""
_MJPEG_RATE = 30
_END_OF_IMAGE = b"\xff\xd9"
_FILL = b"\xff"


class ChromiumFileWebcam:
    """A ``.y4m`` or ``.mjpeg`` file that Chromium takes for a webcam; black until something is shown.

    Args:
        path: where the file is made; Chromium knows the format by its end.
        size: width and height in pixels, both even.
        frames_per_second: how often Chromium takes a picture; whole numbers only, since Chromium divides so.

    Raises:
        ValueError: if Chromium could not play such a file.
        OSError: if the file cannot be written.
    """

    def __init__(self, path: Path, size: tuple[int, int] = (640, 480), frames_per_second: int = 30) -> None:
        width, height = size
        if path.suffix not in _FORMATS:
            raise ValueError(f"Chromium plays webcam files that end in .y4m or .mjpeg, found {path.name}")
        if width % 2 or height % 2 or not 2 <= min(size) <= max(size) <= 4096:
            raise ValueError(f"a webcam file has even sides of 2 to 4096 pixels, found {width}x{height}")
        if not 1 <= frames_per_second <= 120:
            raise ValueError(f"a webcam file has 1 to 120 frames a second, found {frames_per_second}")
        if path.suffix == ".mjpeg" and frames_per_second != _MJPEG_RATE:
            raise ValueError(f"Chromium plays .mjpeg files at {_MJPEG_RATE} frames a second, found {frames_per_second}")
        self.path = path.absolute()
        self.size = size
        self.frames_per_second = frames_per_second
        self._format: _Format = _FORMATS[path.suffix](size, frames_per_second)
        # Whole before Chromium can open it: a partial frame makes it crash.
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        os.pwrite(self._file, self._format.header + self._format.pack(np.zeros((height, width, 3), np.uint8)), 0)

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
        os.pwrite(self._file, self._format.pack(fitted(image, self.size)), len(self._format.header))

    def close(self) -> None:
        """Let go of the file; Chromium may go on playing its last frame. Closing twice is allowed."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class _Format(Protocol):
    """A file of one frame; the frame has the same length whatever it shows."""

    header: bytes

    def pack(self, frame: Image) -> bytes:
        """A frame of the file's size."""
        ...


class _Y4m:
    """Pixels as they are, behind a line that says how many."""

    def __init__(self, size: tuple[int, int], frames_per_second: int) -> None:
        width, height = size
        line = f"YUV4MPEG2 W{width} H{height} F{frames_per_second}:1 Ip A1:1 C420jpeg\n"
        self.header = line.encode() + _FRAME_MARK
        assert len(self.header) <= _LONGEST_HEADER

    def pack(self, frame: Image) -> bytes:
        return planes(frame)


class _Mjpeg:
    """A JPEG file, filled up before the mark of its end.

    The end stays in its place, so that Chromium, which reads while this is written, never takes one too early for it:
    what comes after must be the next picture. Any number of fill bytes may stand before a mark (ITU-T T.81 §B.1.1.2).
    """

    header = b""

    def __init__(self, size: tuple[int, int], _: int) -> None:
        self._length = max(size[0] * size[1], 4096)

    def pack(self, frame: Image) -> bytes:
        picture = jpeg(frame, self._length).removesuffix(_END_OF_IMAGE)
        return picture + _FILL * (self._length - len(picture) - len(_END_OF_IMAGE)) + _END_OF_IMAGE


_FORMATS: dict[str, type[_Y4m | _Mjpeg]] = {".y4m": _Y4m, ".mjpeg": _Mjpeg}
