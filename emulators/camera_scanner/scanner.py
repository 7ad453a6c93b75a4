"""The scanner: frames in, reads out, each code once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulators.camera_scanner.decoders import read_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from emulators.camera_scanner.decoders import Read
    from emulators.camera_scanner.frames import Frame, Image


class Scanner:
    """Reads frames and reports each code once for as long as it stays in view.

    Args:
        same_code_interval: seconds of frame time for which a code must have been out of view before it is reported
            again; 0 reports it in every frame.
        read: finds the codes in a picture.
    """

    def __init__(self, same_code_interval: float = 1.0, read: Callable[[Image], tuple[Read, ...]] = read_codes) -> None:
        self._interval = same_code_interval
        self._read = read
        self._seen: dict[bytes, float] = {}

    def scan(self, frame: Frame) -> tuple[Read, ...]:
        """The codes in ``frame`` that are news, left to right.

        Raises:
            ImageError: if the frame holds no picture.
        """
        # A time from before the last sight means another source or a video that starts over: then it is news.
        self._seen = {data: at for data, at in self._seen.items() if 0 <= frame.time - at < self._interval}
        reads = self._read(frame.image)
        news = tuple(read for read in reads if read.data not in self._seen)
        self._seen |= {read.data: frame.time for read in reads}
        return news

    def scan_all(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, tuple[Read, ...]]]:
        """Every frame that brings news, and its news. Take one with ``next`` to scan once, all to scan on.

        Raises:
            SourceError: when the source of the frames ends in one.
        """
        for frame in frames:
            if news := self.scan(frame):
                yield frame, news
