"""Frames from an HTTP stream of JPEG pictures, as IP cameras and ``MjpegServer`` send them."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import cv2
import numpy as np

from emulators.camera_scanner.frames import CameraStopped, Frame, ImageError, NoSuchCamera, require_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulators.env import Clock

_LARGEST_PICTURE = 32 * 1024 * 1024
_LONGEST_LINE = 4096
_MOST_LINES = 64


class HttpStream:
    """The pictures that come from ``url`` (http or https) as ``multipart/x-mixed-replace``.

    Args:
        url: where they come from.
        clock: stamps the frames, with its monotonic time.
        patience: seconds without a byte after which the stream has stopped.

    Raises:
        NoSuchCamera: if nothing answers there, or it is no such stream.
    """

    def __init__(self, url: str, clock: Clock, patience: float = 5.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise NoSuchCamera(f"{url} is no stream: expected an address that begins with http:// or https://")
        self.name = url
        self._clock = clock
        try:
            self._response = urllib.request.urlopen(url, timeout=patience)  # noqa: S310 - the scheme was looked at above
        except (OSError, ValueError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            raise NoSuchCamera(f"{url} cannot be opened: {reason}") from error
        kind = self._response.headers.get("Content-Type", "")
        # The boundary itself is not needed: every part announces its length.
        if not kind.lower().startswith("multipart/x-mixed-replace"):
            self.close()
            raise NoSuchCamera(f"{url} is no stream of pictures: expected multipart/x-mixed-replace, found {kind!r}")

    def frames(self) -> Iterator[Frame]:
        """The pictures as they come.

        Raises:
            CameraStopped: when no more come, or what comes is no picture.
        """
        delivered = 0
        while True:
            try:
                packed = self._part()
                image = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_COLOR)
                if image is None:
                    raise ValueError(f"expected a picture, found {len(packed)} bytes that are none")  # noqa: TRY301 - one place says where it stopped
                picture = require_image(image)
            except (OSError, ValueError, http.client.HTTPException, cv2.error, ImageError) as error:
                raise CameraStopped(f"{self.name} stopped after {delivered} pictures: {error}") from error
            delivered += 1
            yield Frame(picture, self._clock.monotonic(), self.name)

    def close(self) -> None:
        """Hang up. Closing twice is allowed."""
        self._response.close()

    def _part(self) -> bytes:
        """The body of the next part; its length is announced, since a picture may hold anything.

        Raises:
            ValueError: if there is none, or it is not announced, or too large.
        """
        length = None
        for _ in range(_MOST_LINES):
            line = self._response.readline(_LONGEST_LINE)
            if not line:
                raise ValueError("it was closed")
            name, _, value = line.decode("latin-1").partition(":")
            if name.strip().lower() == "content-length" and value.strip().isdigit():
                length = int(value.strip()[:12])
            elif not line.strip() and length is not None:
                break
        else:
            raise ValueError("expected a part that tells its length")
        if not 0 < length <= _LARGEST_PICTURE:
            raise ValueError(f"expected a picture of at most {_LARGEST_PICTURE} bytes, found {length}")
        data = self._response.read(length)
        if len(data) < length:
            raise ValueError("it broke off within a picture")
        return bytes(data)
