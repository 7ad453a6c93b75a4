"""Shows a source's frames when their time has come: what makes any source a webcam."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from emulators.camera_scanner.frames import SourceError
from emulators.env import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulators.camera_scanner.frames import FrameSource, Image


class Player:
    """Gives the frames of ``source`` to ``show``, as far apart as their times are; the last one stays.

    As a context manager it plays in a thread of its own, and closes the source at the end.

    Args:
        source: what to play; a ``Reel`` has no end.
        show: takes a picture; a webcam's own.
        clock: real time, unless a test has another.
    """

    def __init__(self, source: FrameSource, show: Callable[[Image], None], clock: Clock | None = None) -> None:
        self._source = source
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
        """Whether it has ended within ``timeout`` seconds (None: for ever): the last frame is shown, or it was closed.

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
            self._play()
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            self._failure = error
        finally:
            self._source.close()
            self._ended.set()

    def _play(self) -> None:
        begun: float | None = None
        for frame in self._source.frames():
            if begun is None:
                begun = self._clock.monotonic() - frame.time
            if self._stopped.wait(max(0.0, begun + frame.time - self._clock.monotonic())):
                return
            self._show(frame.image)
        if begun is None:
            raise SourceError(f"{self._source.name} has no picture")
