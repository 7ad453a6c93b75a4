"""One look at a picture, by one of three readers: what it finds there.

zxing-cpp reads most, and quickest. zbar costs more than all the rest. OpenCV never searches, since its search for codes takes
minutes on some pictures: it is handed a place where zxing-cpp saw a code that it could not read, and samples the modules there.
zxing-cpp turns those into bytes, for OpenCV's own strings are not exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import cv2
import numpy as np
import zxingcpp

from emulators.camera_scanner import zbar
from emulators.camera_scanner.flattening import MARGIN, SIDE, unflattened
from emulators.camera_scanner.mirror import is_mirrored
from emulators.camera_scanner.preparations import to_gray

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from emulators.camera_scanner.frames import Corners, Image

_TILE_SIDE, _TILE_OVERLAP = 1536, 384
"""A huge picture is looked at in tiles of this side: a code larger than their overlap can be read in the shrunk picture."""

FORMATS = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
# Never BarcodeFormat.QRCode: it includes Micro QR, whose smallest size has no error correction and is found by chance
# in parts of larger codes, as a plausible six-digit number.

_MICRO_FORMATS = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.MicroQRCode)
_ENLARGED = 1.25
"""A Micro QR counts when it is seen again in the picture enlarged so: what is found by chance is not."""

_REGION_MARGIN = 0.35
"""Of codes' outline, on every side: as far may they have moved between two pictures."""

_LEVELS = frozenset("LMQH")


class Found(NamedTuple):
    """A code in a picture, by whichever reader; ``data`` is None where it was seen but could not be read."""

    data: bytes | None
    symbology: str
    version: int | None
    error_correction: str | None
    corners: Corners


def where_they_were(image: Image, seen: Sequence[tuple[bytes, Corners]]) -> list[Found]:
    """The codes that were ``seen``, if they and no others are around the place where they were."""
    across = [x for _, corners in seen for x, _ in corners]
    down = [y for _, corners in seen for _, y in corners]
    wide, high = ((max(places) - min(places)) * _REGION_MARGIN + 8 for places in (across, down))
    left, top = max(0, int(min(across) - wide)), max(0, int(min(down) - high))
    region = image[top : int(max(down) + high) + 1, left : int(max(across) + wide) + 1]
    if 2 * region.shape[0] * region.shape[1] > image.shape[0] * image.shape[1] or not region.size:
        return []  # hardly less than the whole
    found = [
        code._replace(corners=cast("Corners", tuple((x + left, y + top) for x, y in code.corners)))
        for code in by_zxing(np.ascontiguousarray(to_gray(region)))
    ]
    known = sorted(data for data, _ in seen)
    return found if sorted(code.data for code in found if code.data is not None) == known else []


def micro_codes(gray: Image) -> list[Found]:
    """The Micro QR codes that are read in the picture as it is and again in an enlarged one."""
    size = (round(gray.shape[1] * _ENLARGED), round(gray.shape[0] * _ENLARGED))
    again = cv2.resize(gray, size, interpolation=cv2.INTER_LINEAR)
    looks = [zxingcpp.read_barcodes(look, formats=_MICRO_FORMATS) for look in (gray, again)]
    confirmed = {barcode.bytes for barcode in looks[1]}
    return [
        Found(barcode.bytes, barcode.symbology_identifier, None, barcode.ec_level, _corners(barcode.position))
        for barcode in looks[0]
        if barcode.bytes in confirmed
    ]


def _corners(place: zxingcpp.Position) -> Corners:
    points = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    return cast("Corners", tuple((float(point.x), float(point.y)) for point in points))


def in_tiles(gray: Image, until: float, now: Callable[[], float]) -> list[Found]:
    """What zxing-cpp reads in the tiles of a picture, each code once; it looks at no more of them after ``until``."""
    found: list[Found] = []
    step = _TILE_SIDE - _TILE_OVERLAP
    height, width = gray.shape
    for top in range(0, max(1, height - _TILE_OVERLAP), step):
        for left in range(0, max(1, width - _TILE_OVERLAP), step):
            if now() >= until:
                return found
            tile = np.ascontiguousarray(gray[top : top + _TILE_SIDE, left : left + _TILE_SIDE])
            for code in by_zxing(tile):
                corners = cast("Corners", tuple((x + left, y + top) for x, y in code.corners))
                if not any(known.data == code.data and _near(known.corners, corners) for known in found):
                    found.append(code._replace(corners=corners))
    return found


def _near(one: Corners, other: Corners) -> bool:
    """Whether two places are one, seen in two tiles."""
    return all(abs(x - to_x) + abs(y - to_y) < 16 for (x, y), (to_x, to_y) in zip(one, other, strict=True))


def by_zxing(image: Image, *, with_errors: bool = False) -> list[Found]:
    """What zxing-cpp reads and, ``with_errors``, what it sees but cannot read: finding those costs nothing more."""
    found = []
    for barcode in zxingcpp.read_barcodes(image, formats=FORMATS, return_errors=with_errors):
        extra = cast("dict[str, str] | None", barcode.extra) or {}  # None for what it sees but cannot read
        corners = _corners(barcode.position)
        if barcode.valid and _seen_in_a_mirror(image, corners, barcode.ec_level, extra):
            corners = (corners[0], corners[3], corners[2], corners[1])
        found.append(
            Found(
                barcode.bytes if barcode.valid else None,
                barcode.symbology_identifier,
                int(extra["Version"]) if "Version" in extra else None,
                barcode.ec_level,
                corners,
            )
        )
    return found


def _seen_in_a_mirror(image: Image, corners: Corners, level: str, extra: dict[str, str]) -> bool:
    """Whether a code that zxing-cpp read is mirrored: it reads those too, and says nothing of it."""
    if "Version" not in extra or "DataMask" not in extra or level not in _LEVELS:
        return False
    return is_mirrored(image, corners, int(extra["Version"]), level, int(extra["DataMask"]))


def by_zbar(gray: Image) -> list[Found]:
    """What zbar reads; nothing where it is not installed."""
    return [
        Found(symbol.data, symbol.symbology, None, None, (points[0], points[3], points[2], points[1]))
        for symbol in zbar.find_symbols(gray)
        for points in [symbol.points]
    ]


def by_opencv(flat: Image) -> list[Found]:
    """What OpenCV samples from a flattened code: its modules, which zxing-cpp then turns into exact bytes."""
    near, far = MARGIN, SIDE - MARGIN
    square = np.array([[(near, near), (far, near), (far, far), (near, far)]], np.float32)
    try:
        modules = cast("Image | None", cv2.QRCodeDetectorAruco().decodeBytes(flat, square)[1])
    except cv2.error:  # it raises on some pictures where it should find nothing
        return []
    if modules is None or not modules.size:
        return []
    quiet = np.pad(np.asarray(modules, np.uint8), 4, constant_values=255)
    return by_zxing(np.repeat(np.repeat(quiet, 4, axis=0), 4, axis=1))


def scaled(corners: Corners, scale: float) -> Corners:
    """The same place in a picture that is ``scale`` times as large."""
    return cast("Corners", tuple((x * scale, y * scale) for x, y in corners))


def put_back(found: list[Found], corners: Corners, margin: int | None = None) -> list[Found]:
    """What was read in a flattened picture, at the place in the whole picture from which that was taken.

    Args:
        found: the codes.
        corners: the place that was flattened.
        margin: of the flattened picture around it; None: it was sampled, so that nothing but the whole of it can be the code.
    """
    return [code._replace(corners=_put_back(code.corners, corners, margin)) for code in found if code.data is not None]


def _put_back(flat: Corners, corners: Corners, margin: int | None) -> Corners:
    place = corners if margin is None else unflattened(flat, corners, margin)
    if place is corners and _turns_left(flat):
        first, second, third, fourth = corners
        return first, fourth, third, second
    return place


def _turns_left(corners: Corners) -> bool:
    """Whether they run the other way round, as those of a mirrored code do."""
    (x, y), (right_x, right_y), _, (low_x, low_y) = corners
    return (right_x - x) * (low_y - y) < (right_y - y) * (low_x - x)
