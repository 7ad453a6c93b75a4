"""The source that fits a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from emulators.camera_scanner.frames import UnreadableFile
from emulators.camera_scanner.sources.files import read_file
from emulators.camera_scanner.sources.images import ImageFiles
from emulators.camera_scanner.sources.video import VideoFile, is_video

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import FrameSource

_HEAD = 512
_MOTION_JPEG = {".mjpeg", ".mjpg"}


def open_file(path: Path | str) -> FrameSource:
    """A picture or a video, whichever the file at ``path`` holds.

    Its first bytes decide, not its name; only a bare Motion JPEG stream, which begins as a picture does, is known by its name.

    Raises:
        UnreadableFile: if it cannot be read, or holds neither.
    """
    path = Path(path)
    head = read_file(path, _HEAD)
    if path.suffix.lower() not in _MOTION_JPEG and cv2.haveImageReader(str(path)):
        return ImageFiles([path])
    if is_video(head):
        return VideoFile(path)
    raise UnreadableFile(f"{path} holds neither a picture nor a video of a known format")
