"""What a reader's camera may be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from emulators.camera_scanner.frames import MAX_PIXELS
from emulators.env import SystemClock

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import FrameSource


def open_source(name: str) -> FrameSource:
    """A camera by number, name or address, the screen, or a picture or video in a file.

    Raises:
        SourceError: if it cannot be opened.
    """
    # Before OpenCV is loaded: no log lines of its own, no pictures that fill the memory.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))
    clock = SystemClock()
    if name.partition(":")[0] in ("http", "https"):
        from emulators.camera_scanner.sources.stream import HttpStream  # noqa: PLC0415 - only one of them is needed

        return HttpStream(name, clock)
    if name == "screen":
        from emulators.camera_scanner.sources.screen import ScreenRegion  # noqa: PLC0415 - see above

        return ScreenRegion(clock)
    if Path(name).is_file():
        from emulators.camera_scanner.sources.any_file import open_file  # noqa: PLC0415 - see above

        return open_file(name)
    from emulators.camera_scanner.sources.cameras import find_camera  # noqa: PLC0415 - see above
    from emulators.camera_scanner.sources.webcam import Webcam  # noqa: PLC0415 - see above

    return Webcam(int(name) if name.isascii() and name.isdigit() else find_camera(name).index, clock)
