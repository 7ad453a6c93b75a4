"""Frames from a region of this machine's screen: a code in a browser or in a remote desktop needs no camera."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import mss
import mss.exception
import numpy as np

from emulators.camera_scanner.frames import CameraStopped, Frame, NoScreen, require_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emulators.env import Clock

Box = tuple[int, int, int, int]
"""Left, top, width and height, in pixels of the screen."""


class ScreenRegion:
    """What is shown within ``box`` of the screen, or on all of it.

    Args:
        clock: stamps the frames and paces them.
        box: the region; None: all screens together.
        frames_per_second: how often it is looked at.
        pause: waits so many seconds between two looks.

    Raises:
        NoScreen: if there is no screen, or the region is not within it.
    """

    def __init__(
        self,
        clock: Clock,
        box: Box | None = None,
        frames_per_second: float = 15.0,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._clock, self._pause = clock, pause
        self._period = 1 / frames_per_second
        try:
            self._screen = mss.MSS()
            whole = self._screen.monitors[0]
        except (mss.exception.ScreenShotError, OSError) as error:
            raise NoScreen(f"there is no screen to look at: {error}") from error
        left, top, width, height = box or (whole["left"], whole["top"], whole["width"], whole["height"])
        inside = whole["left"] <= left and left + width <= whole["left"] + whole["width"]
        inside = inside and whole["top"] <= top and top + height <= whole["top"] + whole["height"]
        if not inside or width < 1 or height < 1:
            self._screen.close()
            raise NoScreen(
                f"the screen has {whole['width']}x{whole['height']} pixels; {width}x{height} at {left},{top} is not on it"
            )
        self._box = {"left": left, "top": top, "width": width, "height": height}
        self.name = f"screen {width}x{height}+{left}+{top}"

    def frames(self) -> Iterator[Frame]:
        """The region, again and again.

        Raises:
            CameraStopped: when the screen is gone.
        """
        delivered = 0
        due = self._clock.monotonic()
        while True:
            self._pause(max(0.0, due - self._clock.monotonic()))
            due = max(due + self._period, self._clock.monotonic())
            try:
                shot = self._screen.grab(self._box)
            except (mss.exception.ScreenShotError, OSError, AssertionError) as error:
                # mss asserts that the X server answers.
                reason = str(error) or "the screen is gone"
                raise CameraStopped(f"{self.name} stopped after {delivered} pictures: {reason}") from error
            pixels = np.frombuffer(shot.bgra, np.uint8).reshape(shot.height, shot.width, 4)
            delivered += 1
            yield Frame(require_image(np.ascontiguousarray(pixels[:, :, :3])), self._clock.monotonic(), self.name)

    def close(self) -> None:
        """Let go of the screen. Closing twice is allowed."""
        with contextlib.suppress(mss.exception.ScreenShotError):  # a screen that is gone takes no farewell
            self._screen.close()
