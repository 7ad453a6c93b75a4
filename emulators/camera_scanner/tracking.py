"""Looks where the last code was before it looks everywhere: a code that is held before a camera hardly moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulators.camera_scanner.decoders import read_codes

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulators.camera_scanner.decoders import Read
    from emulators.camera_scanner.frames import Image

_EVERYWHERE = 5
"""Every so many pictures the whole is looked at, so that another code is found soon."""


class LastPlaceFirst:
    """Reads pictures that follow each other; what is still where it was costs a fraction of a look at the whole.

    Args:
        read: finds the codes in a picture, with ``seen`` as ``read_codes`` has it.
    """

    def __init__(self, read: Callable[..., tuple[Read, ...]] = read_codes) -> None:
        self._read = read
        self._last: tuple[Read, ...] = ()
        self._since = 0

    def __call__(self, image: Image) -> tuple[Read, ...]:
        """The codes in ``image``.

        Raises:
            ImageError: if it is not a picture.
        """
        self._since = (self._since + 1) % _EVERYWHERE
        self._last = self._read(image, seen=self._last if self._since else ())
        return self._last
