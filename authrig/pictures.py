"""Codes as pictures, for what the rig holds before a camera."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import cv2
import numpy as np
import segno

from authrig.errors import RigError

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image

PNG_URI = "data:image/png;base64,"


def picture_from_png(png: bytes) -> Image:
    """The gray picture in ``png``.

    Raises:
        RigError: if that is no PNG.
    """
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE) if png else None
    if picture is None:
        raise RigError(f"expected a PNG, found {len(png)} bytes that are none")
    return picture.astype(np.uint8, copy=False)


def png_from_data_uri(uri: str) -> bytes:
    """The PNG inside a ``data:`` URI.

    Raises:
        RigError: if the URI does not say that it is a PNG.
    """
    if not uri.startswith(PNG_URI):
        raise RigError(f"expected a picture that begins with {PNG_URI}, found {uri[:32]!r}")
    return base64.b64decode(uri.removeprefix(PNG_URI))


def print_code(content: str | bytes) -> bytes:
    """``content`` as the PNG of a QR code, as a printer makes it: level M, quiet zone of four modules.

    A text is in the code as UTF-8, which is what readers take its bytes for.
    """
    file = io.BytesIO()
    # Of a text segno would make Latin-1 or Shift-JIS where it can.
    data = content if isinstance(content, bytes) or content.isascii() else content.encode()
    segno.make(data, error="m", micro=False).save(file, kind="png", scale=8, border=4)
    return file.getvalue()
