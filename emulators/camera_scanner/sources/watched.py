"""Notices when a source that should be alive is not: it repeats one picture, or all it shows is black."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from emulators.camera_scanner.frames import CameraFroze, CameraWentBlack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulators.camera_scanner.frames import Frame, FrameSource, Image

_BLACK_LEVEL = 12
"""No pixel of a black picture is brighter; a dark room seen by a sensor at full gain is."""
_EVERY = 4
"""Rows and columns that are looked at for black."""


class Watched:
    """``source``, which ends in a condition when it no longer shows what is before it.

    Args:
        source: any source; most useful for those that never end by themselves.
        patience: seconds of frame time for which one picture may be repeated, or be black.
    """

    def __init__(self, source: FrameSource, patience: float = 10.0) -> None:
        self.name = source.name
        self._source = source
        self._patience = patience

    def frames(self) -> Iterator[Frame]:
        """The frames of the source.

        Raises:
            CameraFroze: when each frame was the same for too long.
            CameraWentBlack: when each frame was black for too long.
            SourceError: as the source itself.
        """
        last: tuple[int, float] | None = None
        black_since: float | None = None
        for frame in self._source.frames():
            black = _is_black(frame.image)
            black_since = (frame.time if black_since is None else black_since) if black else None
            if black_since is not None and frame.time - black_since >= self._patience:
                raise CameraWentBlack(f"{self.name} shows nothing but black since {self._patience:g} seconds")
            mark = zlib.crc32(frame.image.tobytes())
            if last is None or last[0] != mark:
                last = mark, frame.time
            elif not black and frame.time - last[1] >= self._patience:
                raise CameraFroze(f"{self.name} froze: the same picture to the last bit for {self._patience:g} seconds")
            yield frame

    def close(self) -> None:
        """Close the source."""
        self._source.close()


def _is_black(image: Image) -> bool:
    return int(image[::_EVERY, ::_EVERY].max()) <= _BLACK_LEVEL
