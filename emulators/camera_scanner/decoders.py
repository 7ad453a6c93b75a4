"""Finds QR codes in a picture and reads their bytes; bytes are never taken for text on the way.

Three readers, of which all three hand over bytes exactly:

- **zxing-cpp** looks first at the picture as it is, then at preparations of it. It reads inverted and mirrored
  codes too. A huge picture it sees shrunk first, and then in tiles.
- **zbar**, where the shared library is installed, gives a second opinion where there is time for one (see ``zbar``):
  it costs more than all the rest.
- **OpenCV** comes last and never searches, since its search for codes takes minutes on some pictures. It is handed only
  the place where zxing-cpp saw a code that it could not read: it flattens that place, and samples the modules there.
  zxing-cpp turns both into bytes, for OpenCV's own strings are not exact.

Nothing can stop a reader once it has begun, and pictures can be made on which one takes seconds: rows and rows of tiny
finder patterns. What might take longer than the deadline therefore runs beside (see ``deadline``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

import cv2
import numpy as np
import zxingcpp

from emulators.camera_scanner import zbar
from emulators.camera_scanner.deadline import within
from emulators.camera_scanner.frames import require_image
from emulators.camera_scanner.mirror import is_mirrored
from emulators.camera_scanner.preparations import THOROUGH, preparations, shrink, to_gray
from emulators.env import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emulators.camera_scanner.frames import Image

Corners: TypeAlias = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""Top left, top right, bottom right and bottom left of a symbol (as it was printed), as (x, y) in pixels of a picture."""

DEADLINE_MS = 250.0
"""Nobody waits longer than this many milliseconds for a picture to be read."""

_WORST_MS_PER_SQUARE_PIXEL = 1e-9
"""The longest look at a picture made to take long, over the square of its pixels, doubled: 0.1 s at 640x480."""

_HUGE_PIXELS, _SHRUNK_SIDE = 2_500_000, 2048
"""Pictures with more pixels are seen with no side longer than this first."""

_TILE_SIDE, _TILE_OVERLAP = 1536, 384
"""Then in tiles of this side: a code larger than their overlap can be read in the shrunk picture."""

_SECOND_OPINION_PIXELS = 1600
"""zbar looks at pictures with no side longer than this: its time grows with their area, and there is a deadline."""

_FLAT_PIXELS = 480
_FLAT_MARGIN = 40

_FORMATS = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
# Never BarcodeFormat.QRCode: it includes Micro QR, whose smallest size has no error correction and is found by chance
# in parts of larger codes, as a plausible six-digit number.

_MICRO_FORMATS = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.MicroQRCode)
_MICRO = "micro"
_ENLARGED = 1.25
"""A Micro QR counts when it is seen again in the picture enlarged so: what is found by chance is not."""

_REGION_MARGIN = 0.35
"""Of codes' outline, on every side: as far may they have moved between two pictures."""

_LEVELS = frozenset("LMQH")

_now = SystemClock().monotonic


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
    decoder: str
    """"zxing-cpp", "zbar" or "opencv"."""
    stage: str
    """What was done to the picture first; "direct" for nothing."""
    milliseconds: float
    """From the start of the search to this read."""
    micro: bool = False
    """Whether it is a Micro QR: M1 to M4, of which the smallest have hardly any error correction."""


class _Found(NamedTuple):
    """A code in a picture, by whichever reader; ``data`` is None where it was seen but could not be read."""

    data: bytes | None
    symbology: str
    version: int | None
    error_correction: str | None
    corners: Corners


def read_codes(  # noqa: PLR0913 - each of them alone is asked for by somebody
    image: Image,
    *,
    deadline_ms: float = DEADLINE_MS,
    thorough: bool = False,
    micro: bool = False,
    seen: tuple[Read, ...] = (),
    now: Callable[[], float] = _now,
) -> tuple[Read, ...]:
    """All QR codes that the first successful stage finds in ``image``, left to right; nothing if no stage finds one.

    Args:
        image: gray or colour, any size up to ``frames.MAX_PIXELS``; a code needs two pixels a module or more.
        deadline_ms: after this time the answer is that nothing was found. The first stage is always begun, another one
            only if it would be over in time should it take as long as the longest before it.
        thorough: ask zbar too, and undo blur: for a picture after which no other comes.
        micro: look for Micro QR too, where there is no other code; see ``Read.micro``.
        seen: what was read in the picture before this one. It is looked for where it was first, and when all of it is
            still there, and nothing else, that is the answer.
        now: tells the time in seconds.

    Raises:
        ImageError: if ``image`` is not a picture.
    """
    begun = now()
    until = begun + deadline_ms / 1000
    search = _Search(
        _cascade(require_image(image), until, now, thorough=thorough, micro=micro, seen=seen), begun, until, now
    )
    if _WORST_MS_PER_SQUARE_PIXEL * (image.shape[0] * image.shape[1]) ** 2 < deadline_ms and (reads := search.look()):
        return reads
    return within(search.look_on, search.until - now()) or ()


class _Search:
    """One picture's way through the cascade."""

    def __init__(self, stages: Iterator[_Stage], begun: float, until: float, now: Callable[[], float]) -> None:
        self.until = until
        self._stages, self._begun, self._now = stages, begun, now
        self._longest = 0.0
        self.over = False

    def look(self) -> tuple[Read, ...]:
        """What the next stage reads; after it, it is ``over`` when there is no other, or no time for one."""
        stage = next(self._stages, None)
        if stage is None:
            self.over = True
            return ()
        ended = self._now()
        milliseconds = (ended - self._begun) * 1000
        reads = [
            Read(code.data, *code[1:5], stage.decoder, stage.name, milliseconds, stage.name == _MICRO)
            for code in stage.found
            if code.data is not None
        ]
        self._longest = max(self._longest, ended - stage.begun)
        self.over = ended + self._longest >= self.until
        return tuple(sorted(reads, key=_left_to_right)) if len(reads) > 1 else tuple(reads)

    def look_on(self) -> tuple[Read, ...]:
        """What the first stage reads that reads anything."""
        while not self.over:
            if reads := self.look():
                return reads
        return ()


class _Stage(NamedTuple):
    """One look at the picture."""

    decoder: str
    name: str
    begun: float
    found: list[_Found]


def _cascade(  # noqa: PLR0913 - one for each question that ``read_codes`` answers
    image: Image,
    until: float,
    now: Callable[[], float],
    *,
    thorough: bool,
    micro: bool,
    seen: tuple[Read, ...],
) -> Iterator[_Stage]:
    """What each look finds, cheapest first; a stage runs only when it is asked for, or not at all after ``until``."""
    if seen:
        begun = now()
        yield _Stage("zxing-cpp", "last place", begun, _where_they_were(image, seen))
    begun, scale = now(), 1.0
    # Every reader begins with this, and takes longer over it than OpenCV.
    gray = whole = to_gray(image)
    if image.shape[0] * image.shape[1] > _HUGE_PIXELS:
        gray, scale = shrink(whole, _SHRUNK_SIDE)
        begun = now()
    sights = _by_zxing(gray, with_errors=True)
    yield _Stage("zxing-cpp", "direct" if scale == 1 else "shrunk", begun, [_moved(code, scale) for code in sights])
    if micro:
        begun = now()
        yield _Stage("zxing-cpp", _MICRO, begun, [_moved(code, scale) for code in _micro_codes(gray)])
    if scale > 1:
        # Time grows with the area.
        took, begun = now() - begun, now()
        if begun + 1.5 * took * scale * scale < until:
            yield _Stage("zxing-cpp", "direct", begun, _in_tiles(whole, until, now))
    for preparation in preparations(gray):
        begun = now()
        found = _by_zxing(preparation.prepare(gray))
        yield _Stage("zxing-cpp", preparation.stage, begun, [_moved(code, preparation.scale * scale) for code in found])
    for code in sights[:2]:
        begun = now()
        corners = _scaled(code.corners, scale)
        flat = _flattened(gray, code.corners)
        yield _Stage("zxing-cpp", "flattened", begun, [read._replace(corners=corners) for read in _by_zxing(flat)])
        begun = now()
        yield _Stage("opencv", "sampled", begun, [read._replace(corners=corners) for read in _by_opencv(flat)])
    if thorough:
        begun = now()
        small, shrunk = shrink(gray, _SECOND_OPINION_PIXELS)
        yield _Stage("zbar", "direct", begun, [_moved(code, shrunk * scale) for code in _by_zbar(small)])
        for preparation in THOROUGH:
            begun = now()
            found = _by_zxing(preparation.prepare(gray))
            yield _Stage("zxing-cpp", preparation.stage, begun, [_moved(code, scale) for code in found])


def _where_they_were(image: Image, seen: tuple[Read, ...]) -> list[_Found]:
    """The codes that were ``seen``, if they and no others are around the place where they were."""
    across = [x for read in seen for x, _ in read.corners]
    down = [y for read in seen for _, y in read.corners]
    wide, high = ((max(places) - min(places)) * _REGION_MARGIN + 8 for places in (across, down))
    left, top = max(0, int(min(across) - wide)), max(0, int(min(down) - high))
    region = image[top : int(max(down) + high) + 1, left : int(max(across) + wide) + 1]
    if 2 * region.shape[0] * region.shape[1] > image.shape[0] * image.shape[1] or not region.size:
        return []  # hardly less than the whole
    found = [
        code._replace(corners=cast("Corners", tuple((x + left, y + top) for x, y in code.corners)))
        for code in _by_zxing(np.ascontiguousarray(to_gray(region)))
    ]
    known = sorted(read.data for read in seen)
    return found if sorted(code.data for code in found if code.data is not None) == known else []


def _micro_codes(gray: Image) -> list[_Found]:
    """The Micro QR codes that are read in the picture as it is and again in an enlarged one."""
    size = (round(gray.shape[1] * _ENLARGED), round(gray.shape[0] * _ENLARGED))
    again = cv2.resize(gray, size, interpolation=cv2.INTER_LINEAR)
    looks = [zxingcpp.read_barcodes(look, formats=_MICRO_FORMATS) for look in (gray, again)]
    confirmed = {barcode.bytes for barcode in looks[1]}
    return [
        _Found(barcode.bytes, barcode.symbology_identifier, None, barcode.ec_level, _corners(barcode.position))
        for barcode in looks[0]
        if barcode.bytes in confirmed
    ]


def _corners(place: zxingcpp.Position) -> Corners:
    points = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    return cast("Corners", tuple((float(point.x), float(point.y)) for point in points))


def _in_tiles(gray: Image, until: float, now: Callable[[], float]) -> list[_Found]:
    """What zxing-cpp reads in the tiles of a picture, each code once; it looks at no more of them after ``until``."""
    found: list[_Found] = []
    step = _TILE_SIDE - _TILE_OVERLAP
    height, width = gray.shape
    for top in range(0, max(1, height - _TILE_OVERLAP), step):
        for left in range(0, max(1, width - _TILE_OVERLAP), step):
            if now() >= until:
                return found
            tile = np.ascontiguousarray(gray[top : top + _TILE_SIDE, left : left + _TILE_SIDE])
            for code in _by_zxing(tile):
                corners = cast("Corners", tuple((x + left, y + top) for x, y in code.corners))
                if not any(known.data == code.data and _near(known.corners, corners) for known in found):
                    found.append(code._replace(corners=corners))
    return found


def _near(one: Corners, other: Corners) -> bool:
    """Whether two places are one, seen in two tiles."""
    return all(abs(x - to_x) + abs(y - to_y) < 16 for (x, y), (to_x, to_y) in zip(one, other, strict=True))


def _by_zxing(image: Image, *, with_errors: bool = False) -> list[_Found]:
    """What zxing-cpp reads and, ``with_errors``, what it sees but cannot read: finding those costs nothing more."""
    found = []
    for barcode in zxingcpp.read_barcodes(image, formats=_FORMATS, return_errors=with_errors):
        extra = cast("dict[str, str] | None", barcode.extra) or {}  # None for what it sees but cannot read
        corners = _corners(barcode.position)
        if barcode.valid and _seen_in_a_mirror(image, corners, barcode.ec_level, extra):
            corners = (corners[0], corners[3], corners[2], corners[1])
        found.append(
            _Found(
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


def _by_zbar(gray: Image) -> list[_Found]:
    """What zbar reads; nothing where it is not installed."""
    return [
        _Found(symbol.data, symbol.symbology, None, None, (points[0], points[3], points[2], points[1]))
        for symbol in zbar.find_symbols(gray)
        for points in [symbol.points]
    ]


def _flattened(gray: Image, corners: Corners) -> Image:
    """The code between ``corners`` as if seen squarely, with its quiet zone."""
    near, far = _FLAT_MARGIN, _FLAT_PIXELS - _FLAT_MARGIN
    square = np.array([(near, near), (far, near), (far, far), (near, far)], np.float32)
    homography = cv2.getPerspectiveTransform(np.array(corners, np.float32), square)
    flat = cv2.warpPerspective(
        gray, homography, (_FLAT_PIXELS, _FLAT_PIXELS), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(flat, np.uint8)


def _by_opencv(flat: Image) -> list[_Found]:
    """What OpenCV samples from a flattened code: its modules, which zxing-cpp then turns into exact bytes."""
    near, far = _FLAT_MARGIN, _FLAT_PIXELS - _FLAT_MARGIN
    square = np.array([[(near, near), (far, near), (far, far), (near, far)]], np.float32)
    try:
        modules = cast("Image | None", cv2.QRCodeDetectorAruco().decodeBytes(flat, square)[1])
    except cv2.error:  # it raises on some pictures where it should find nothing
        return []
    if modules is None or not modules.size:
        return []
    quiet = np.pad(np.asarray(modules, np.uint8), 4, constant_values=255)
    return _by_zxing(np.repeat(np.repeat(quiet, 4, axis=0), 4, axis=1))


def _moved(code: _Found, scale: float) -> _Found:
    """The code with its corners in pixels of a picture that is ``scale`` times as large."""
    return code if scale == 1.0 else code._replace(corners=_scaled(code.corners, scale))


def _scaled(corners: Corners, scale: float) -> Corners:
    return cast("Corners", tuple((x * scale, y * scale) for x, y in corners))


def _left_to_right(read: Read) -> tuple[float, float]:
    return sum(x for x, _ in read.corners), sum(y for _, y in read.corners)
