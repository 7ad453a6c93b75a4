"""The scanner: frames in, reads out, each code once."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.camera_scanner.choice import every_code
from emulators.camera_scanner.frames import require_image
from emulators.camera_scanner.preparations import stretched_sum, to_gray
from emulators.camera_scanner.stillness import is_dark, is_still
from emulators.camera_scanner.tracking import LastPlaceFirst

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from emulators.camera_scanner.choice import Choose
    from emulators.camera_scanner.decoders import Read
    from emulators.camera_scanner.frames import Frame, Image

_STACK = 4
"""So many dark frames are added up: it reads what none of them alone gives."""


class Scanner:
    """Reads frames and reports each code once for as long as it stays in view.

    In the dark, when nothing moves and a frame gives nothing, the last four frames are added up and read instead of it.
    A Micro QR (where ``read`` looks for those) counts when two frames in a row show it: it is easily found by chance.

    Args:
        same_code_interval: seconds of frame time for which a code must have been out of view before it is reported
            again; 0 reports it in every frame. With ``TriggerMode.CONTINUOUS``: after which it is reported again
            although it stayed in view.
        read: finds the codes in a picture; by default it looks where the last one was first.
        mode: when it looks. ``MANUAL`` and ``HOST`` look from ``start`` until the first read.
        read_timeout: seconds of frame time after which a started look ends without a read; None: never.
        choose: which of several codes in view count.
    """

    def __init__(
        self,
        same_code_interval: float = 1.0,
        read: Callable[[Image], tuple[Read, ...]] | None = None,
        *,
        mode: TriggerMode = TriggerMode.PRESENTATION,
        read_timeout: float | None = None,
        choose: Choose = every_code,
    ) -> None:
        self._interval = same_code_interval
        self._read = LastPlaceFirst() if read is None else read
        self._mode = mode
        self._read_timeout = read_timeout
        self._choose = choose
        self._seen: dict[bytes, float] = {}
        self._micro: frozenset[bytes] = frozenset()
        self._stack: deque[Image] = deque(maxlen=_STACK)
        self._started = False
        self._started_at: float | None = None

    @property
    def looking(self) -> bool:
        """Whether the next frame will be read."""
        return self._started or self._mode in {TriggerMode.CONTINUOUS, TriggerMode.PRESENTATION}

    def start(self) -> None:
        """Pull the trigger: from the next frame on it looks, and what it reads is news whatever was read before."""
        self._started, self._started_at = True, None
        self._seen.clear()

    def stop(self) -> None:
        """Let go of the trigger."""
        self._started = False

    def scan(self, frame: Frame) -> tuple[Read, ...]:
        """The codes in ``frame`` that are news, left to right.

        Raises:
            ImageError: if the frame holds no picture.
        """
        if self._started:
            self._started_at = frame.time if self._started_at is None else self._started_at
            if self._read_timeout is not None and frame.time - self._started_at >= self._read_timeout:
                self._started = False
        if not self.looking:
            return ()
        # A time from before the last sight means another source or a video that starts over: then it is news.
        self._seen = {data: at for data, at in self._seen.items() if 0 <= frame.time - at < self._interval}
        reads = self._choose(self._twice(self._look(require_image(frame.image))), frame.image.shape)
        news = tuple(read for read in reads if read.data not in self._seen)
        sighted = news if self._mode is TriggerMode.CONTINUOUS else reads
        self._seen |= {read.data: frame.time for read in sighted}
        if news:
            self._started = False
        return news

    def scan_all(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, tuple[Read, ...]]]:
        """Every frame that brings news, and its news. Take one with ``next`` to scan once, all to scan on.

        Raises:
            SourceError: when the source of the frames ends in one.
        """
        for frame in frames:
            if news := self.scan(frame):
                yield frame, news

    def _look(self, image: Image) -> tuple[Read, ...]:
        """What the frame gives or, where the last ones gave nothing in the dark and show the same, all of them together."""
        if self._stack:
            gray = to_gray(image)
            if is_dark(gray) and is_still(self._stack[-1], gray):
                self._stack.append(gray)
            else:
                self._stack.clear()
        if len(self._stack) == _STACK:
            reads = self._read(stretched_sum(self._stack))
            return tuple(replace(read, stage=f"mean-of-{_STACK}, {read.stage}") for read in reads)
        reads = self._read(image)
        if reads:
            self._stack.clear()
        elif not self._stack and is_dark(gray := to_gray(image)):
            self._stack.append(gray)
        return reads

    def _twice(self, reads: tuple[Read, ...]) -> tuple[Read, ...]:
        """``reads`` without a Micro QR that the last frame did not show."""
        before, self._micro = self._micro, frozenset(read.data for read in reads if read.micro)
        return tuple(read for read in reads if not read.micro or read.data in before)
