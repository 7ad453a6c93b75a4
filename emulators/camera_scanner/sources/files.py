"""The source that fits a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from emulators.camera_scanner.frames import UnreadableFile
from emulators.camera_scanner.sources.images import ImageFiles
from emulators.camera_scanner.sources.video import VideoFile

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import FrameSource


def open_file(path: Path | str) -> FrameSource:
    """Pictures or a video, whichever the file at ``path`` holds; judged by its first bytes, not by its name.

    Raises:
        UnreadableFile: if there is no such file, or it holds neither.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise UnreadableFile(f"cannot read {path}: {error.strerror or error}") from error
    if empty:
        raise UnreadableFile(f"{path} is empty")
    if cv2.haveImageReader(str(path)):
        return ImageFiles([path])
    try:
        return VideoFile(path)
    except UnreadableFile as error:
        raise UnreadableFile(f"{path} holds neither a picture nor a video that can be read") from error
