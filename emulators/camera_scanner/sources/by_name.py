"""The source that people mean by a word on a command line. Imports OpenCV only when it opens something."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from emulators.camera_scanner.frames import MAX_PIXELS, NoScreen, NoSuchCamera

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulators.camera_scanner.frames import FrameSource
    from emulators.camera_scanner.sources.webcam import Settings
    from emulators.env import Clock


def calm_opencv() -> None:
    """Before OpenCV is loaded: no log lines of its own, no pictures that fill the memory."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PIXELS))


def is_camera_number(name: str) -> bool:
    """Whether it is the N of a camera /dev/videoN."""
    return name.isascii() and name.isdigit() and len(name) < 6


def open_camera(
    name: str, clock: Clock, settings: Settings | None = None, pause: Callable[[float], object] = time.sleep
) -> FrameSource:
    """A camera by its number, by a part of its name or id, by the address of its stream, or the screen.

    Args:
        name: such as "0", "C920", "http://10.0.0.7/stream", "screen" or "screen:LEFT,TOP,WIDTH,HEIGHT".
        clock: stamps the frames.
        settings: what is asked of a camera of this machine; None: nothing.
        pause: waits so many seconds between two looks at the screen.

    Raises:
        SourceError: if it cannot be opened, or is none of which anything could be asked.
    """
    calm_opencv()
    kind, _, place = name.partition(":")
    if kind in {"http", "https", "screen"} and settings is not None:
        raise NoSuchCamera(f"size, exposure and focus are for a camera of this machine, not for {name}")
    if kind in {"http", "https"}:
        from emulators.camera_scanner.sources.stream import HttpStream  # noqa: PLC0415 - only what is used

        return HttpStream(name, clock)
    if kind == "screen":
        from emulators.camera_scanner.sources.screen import ScreenRegion  # noqa: PLC0415 - as above

        return ScreenRegion(clock, _box(place) if place else None, pause=pause)
    from emulators.camera_scanner.sources.cameras import find_camera  # noqa: PLC0415 - as above
    from emulators.camera_scanner.sources.webcam import AS_IT_IS, Webcam  # noqa: PLC0415 - as above

    index = int(name) if is_camera_number(name) else find_camera(name).index
    return Webcam(index, clock, settings=settings or AS_IT_IS)


def open_by_name(name: str, clock: Clock) -> FrameSource:
    """A picture or video in the file ``name``, or else a camera, see ``open_camera``.

    Raises:
        SourceError: if it cannot be opened.
    """
    calm_opencv()
    if Path(name).is_file():
        from emulators.camera_scanner.sources.any_file import open_file  # noqa: PLC0415 - as above

        return open_file(name)
    return open_camera(name, clock)


def _box(place: str) -> tuple[int, int, int, int]:
    """LEFT,TOP,WIDTH,HEIGHT."""
    numbers = [int(part) if part.isascii() and part.isdigit() and len(part) < 6 else -1 for part in place.split(",")]
    if len(numbers) != 4 or min(numbers) < 0:
        raise NoScreen(f"a region of the screen is LEFT,TOP,WIDTH,HEIGHT in pixels, found {place!r}")
    return numbers[0], numbers[1], numbers[2], numbers[3]
