"""Finds QR codes in a picture and reads their bytes; bytes are never taken for text on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import zxingcpp

from emulators.camera_scanner.frames import require_image
from emulators.env import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulators.camera_scanner.frames import Image

    Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]

_now = SystemClock().monotonic
_FORMATS = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
# Never BarcodeFormat.QRCode: it includes Micro QR, whose smallest size has no error correction and is found by chance
# in parts of larger codes, as a plausible six-digit number.


@dataclass(frozen=True, slots=True)
class Read:
    """One code that was read, and how."""

    data: bytes
    symbology: str
    """AIM identifier (ISO/IEC 15424), such as "]Q1" for QR model 2."""
    version: int | None
    """1 to 40; None where the decoder does not tell."""
    error_correction: str | None
    """"L", "M", "Q" or "H"; None where the decoder does not tell."""
    corners: Corners
    """Top left, top right, bottom right, bottom left of the symbol, as (x, y) in pixels of the picture."""
    decoder: str
    stage: str
    milliseconds: float
    """From the start of the search to this read."""


def read_codes(image: Image, *, now: Callable[[], float] = _now) -> tuple[Read, ...]:
    """All QR codes in ``image``, left to right.

    Raises:
        ImageError: if ``image`` is not a picture.
    """
    start = now()
    found = zxingcpp.read_barcodes(require_image(image), formats=_FORMATS)
    return tuple(_from_zxing(barcode, "direct", (now() - start) * 1000) for barcode in found)


def _from_zxing(barcode: zxingcpp.Barcode, stage: str, milliseconds: float) -> Read:
    place = barcode.position
    extra = cast("dict[str, str]", barcode.extra)
    return Read(
        data=barcode.bytes,
        symbology=barcode.symbology_identifier,
        version=int(extra["Version"]),
        error_correction=barcode.ec_level,
        corners=(
            (float(place.top_left.x), float(place.top_left.y)),
            (float(place.top_right.x), float(place.top_right.y)),
            (float(place.bottom_right.x), float(place.bottom_right.y)),
            (float(place.bottom_left.x), float(place.bottom_left.y)),
        ),
        decoder="zxing-cpp",
        stage=stage,
        milliseconds=milliseconds,
    )
