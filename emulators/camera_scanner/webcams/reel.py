"""Sources one after the other, again and again: what to show when there is more than one thing to show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from emulators.camera_scanner.frames import Frame, require_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from emulators.camera_scanner.frames import FrameSource, Image


class Still:
    """A source of one picture."""

    def __init__(self, image: Image, name: str) -> None:
        self._image = require_image(image)
        self.name = name

    def frames(self) -> Iterator[Frame]:
        """The picture."""
        yield Frame(self._image, 0.0, self.name)

    def close(self) -> None:
        """Nothing stays open."""


class Reel:
    """Frames of all ``parts`` in their order, and from the beginning again; a single picture comes once.

    Args:
        parts: make a source each time that it is its turn.
        hold: seconds for which a source of one picture is shown.
    """

    def __init__(self, parts: Sequence[Callable[[], FrameSource]], hold: float = 1.0) -> None:
        self._parts = parts
        self._hold = self._gap = hold
        self.name = "a reel"

    def frames(self) -> Iterator[Frame]:
        """Frames whose times go on from part to part.

        Raises:
            SourceError: as the part does whose turn it is.
        """
        begin, count = 0.0, 0
        while True:
            for part in self._parts:
                for frame in self._shifted(part, begin):
                    yield frame
                    count += 1
                    begin = frame.time
                begin += self._gap
            if count <= 1:
                return

    def close(self) -> None:
        """Nothing stays open between the parts."""

    def _shifted(self, part: Callable[[], FrameSource], begin: float) -> Iterator[Frame]:
        """The part's frames with times from ``begin`` on; ``_gap`` is for how long the last one is shown."""
        source = part()
        self._gap = self._hold
        first: float | None = None
        last = 0.0
        try:
            for frame in source.frames():
                if first is None:
                    first = frame.time
                else:
                    self._gap = frame.time - last
                last = frame.time
                yield replace(frame, time=begin + frame.time - first)
        finally:
            source.close()
