"""A frame with what was read in it drawn on top, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from emulators.camera_scanner.frames import require_image
from emulators.camera_scanner.report import describe, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from emulators.camera_scanner.decoders import Read
    from emulators.camera_scanner.frames import Image

_GREEN = (96, 214, 40)
_INK = (24, 40, 16)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LONGEST_LABEL = 44


def outline(image: Image, reads: Iterable[Read], *, timed: bool = True) -> Image:
    """A copy of ``image`` in colour: what is no code darkened, each code framed and labelled with what it says.

    Unless ``timed``, the label leaves out how long reading took, so that the same frame gives the same picture.

    Raises:
        ImageError: if ``image`` is not a picture.
    """
    image = require_image(image)
    colour = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image.copy()
    drawn = [(read, _hull(read)) for read in reads]
    if not drawn:
        return np.asarray(colour, np.uint8)
    inside = np.zeros(colour.shape[:2], np.uint8)
    cv2.fillPoly(inside, [hull for _, hull in drawn], (255,))
    picture = np.asarray(cv2.convertScaleAbs(colour, alpha=0.55), np.uint8)
    picture[inside > 0] = colour[inside > 0]
    thick = max(2, round(min(colour.shape[:2]) / 160))
    for read, hull in drawn:
        cv2.polylines(picture, [hull], isClosed=True, color=_GREEN, thickness=thick, lineType=cv2.LINE_AA)
        _label(picture, hull, (_shorten(printable(read.data, "ascii")), describe(read, timed=timed)))
    return picture


def caption(image: Image, text: str) -> Image:
    """A copy of ``image`` with ``text`` in its lower left corner.

    Raises:
        ImageError: if ``image`` is not a picture.
    """
    picture = require_image(image).copy()
    scale = max(0.35, min(picture.shape[:2]) / 1000)
    (width, height), below = cv2.getTextSize(text, _FONT, scale, 1)
    foot = picture.shape[0] - below - 4
    cv2.rectangle(picture, (0, foot - height - 6), (width + 12, picture.shape[0]), _INK, -1)
    cv2.putText(picture, text, (6, foot), _FONT, scale, _GREEN, 1, cv2.LINE_AA)
    return picture


def encode_png(image: Image) -> bytes:
    """``image`` as a PNG file.

    Raises:
        ImageError: if it is not a picture.
    """
    _, packed = cv2.imencode(".png", require_image(image))
    return packed.tobytes()


def _hull(read: Read) -> NDArray[np.int32]:
    """The outline of the code, moved outwards a little so that it covers no module."""
    corners = np.array(read.corners, np.float64)
    middle = corners.mean(axis=0)
    return np.asarray((middle + (corners - middle) * 1.04).round(), np.int32)


def _shorten(text: str) -> str:
    """What fits on a label."""
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 3]}..."


def _label(picture: Image, hull: NDArray[np.int32], lines: tuple[str, str]) -> None:
    """Both lines on a green tab above the code, or below where there is no room above, inside the picture."""
    high, wide = picture.shape[:2]
    scale = max(0.35, min(high, wide) / 1000)
    line = round(34 * scale)
    width = max(cv2.getTextSize(text, _FONT, scale, 1)[0][0] for text in lines) + line
    height = line * len(lines) + line // 2
    left = max(0, min(int(hull[:, 0].min()), wide - width))
    top = int(hull[:, 1].min()) - height - line // 3
    if top < 0:
        top = max(0, min(int(hull[:, 1].max()) + line // 3, high - height))
    cv2.rectangle(picture, (left, top), (left + width, top + height), _GREEN, -1)
    for number, text in enumerate(lines):
        foot = (left + line // 2, top + line * (number + 1))
        cv2.putText(picture, text, foot, _FONT, scale, _INK, 1, cv2.LINE_AA)
