"""Shows a source's frames when their time has come: what makes any source a webcam."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from emulators.camera_scanner.frames import SourceError
from emulators.env import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulators.camera_scanner.frames import FrameSource, Image

_LAST_FRAME_SECONDS = 1.0
"""How long the last frame is shown before the first comes again, where the source does not say."""


class Player:
    """Gives the frames of a source to ``show``, as far apart as their times are; from the beginning again at its end.

    As a context manager it plays in a thread of its own. A single frame is shown once, since it stays.

    Args:
        open_source: makes the source anew each time that it is played.
        show: takes a picture; a webcam's own.
        clock: real time, unless a test has another.
    """

    def __init__(
        self, open_source: Callable[[], FrameSource], show: Callable[[Image], None], clock: Clock | None = None
    ) -> None:
        self._open_source = open_source
        self._show = show
        self._clock = clock or SystemClock()
        self._stopped = threading.Event()
        self._ended = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="player", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Show no more. Closing twice is allowed."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it has ended within ``timeout`` seconds (None: for ever): a single frame is shown, or it was closed.

        Raises:
            SourceError: if the source ended so.
            Exception: what ``show`` raised.
        """
        ended = self._ended.wait(timeout)
        if self._failure is not None:
            raise self._failure
        return ended

    def _run(self) -> None:
        try:
            while self._play_once() > 1 and not self._stopped.is_set():
                pass
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            self._failure = error
        finally:
            self._ended.set()

    def _play_once(self) -> int:
        """Play the source to its end; returns how many frames it had."""
        source = self._open_source()
        count, last, pause = 0, 0.0, _LAST_FRAME_SECONDS
        begun = self._clock.monotonic()
        try:
            for frame in source.frames():
                if count == 0:
                    begun -= frame.time
                else:
                    pause = frame.time - last
                if self._stopped.wait(max(0.0, begun + frame.time - self._clock.monotonic())):
                    return count
                self._show(frame.image)
                count, last = count + 1, frame.time
        finally:
            source.close()
        if count == 0:
            raise SourceError(f"{source.name} has no picture")
        if count > 1:
            self._stopped.wait(pause)
        return count
