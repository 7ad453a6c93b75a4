"""The source that fits a file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from emulators.camera_scanner.frames import UnreadableFile
from emulators.camera_scanner.sources.files import for_opencv, read_file
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
    kind = _kind(path)
    if kind is None:
        raise UnreadableFile(f"{path} holds neither a picture nor a video of a known format")
    return ImageFiles([path]) if kind is ImageFiles else VideoFile(path)


def files_in(folder: Path) -> list[Path]:
    """The pictures and videos in ``folder`` and its folders, by name; hidden files and other kinds of files are passed over.

    A file that may not be read is among them: whoever opens it is told why.

    Raises:
        UnreadableFile: if there is none, or the folder may not be looked into.
    """
    try:
        inside = sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    except OSError as error:
        raise UnreadableFile(f"cannot read {folder}: {error.strerror or error}") from error
    files = []
    for one in inside:
        if one.is_dir() and not one.is_symlink():
            with suppress(_NothingInIt):
                files += files_in(one)
        elif one.is_file() and _may_be_shown(one):
            files.append(one)
    if not files:
        raise _NothingInIt(f"the folder {folder} holds no picture and no video")
    return files


class _NothingInIt(UnreadableFile):
    """A folder without a picture."""


def _may_be_shown(path: Path) -> bool:
    try:
        return _kind(path) is not None
    except UnreadableFile:
        return path.stat().st_size > 0


def _kind(path: Path) -> type[ImageFiles | VideoFile] | None:
    """What reads the file at ``path``, by its first bytes."""
    head = read_file(path, _HEAD)
    if path.suffix.lower() not in _MOTION_JPEG and cv2.haveImageReader(for_opencv(path)):
        return ImageFiles
    return VideoFile if is_video(head) else None
