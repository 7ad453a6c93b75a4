"""Finds QR codes in a picture and reads their bytes; bytes are never taken for text on the way.

Three readers, of which all three hand over bytes exactly:

- **zxing-cpp** looks first at the picture as it is, then at preparations of it. It reads inverted and mirrored
  codes too. A huge picture it sees shrunk first, and then in tiles.
- **zbar**, where the shared library is installed, gives a second opinion where there is time for one (see ``zbar``):
  it costs more than all the rest.
- **OpenCV** never searches, since its search for codes takes minutes on some pictures. It is handed only places where
  a code must be: such a place is flattened, and OpenCV samples the modules there. zxing-cpp turns both into bytes, for
  OpenCV's own strings are not exact.

Where a code must be, zxing-cpp says of codes that it sees but cannot read; a thorough search also looks for three finder
patterns itself (see ``finders``), and at what is between them as if it were bent around a bottle.

Nothing can stop a reader once it has begun, and pictures can be made on which one takes seconds: rows and rows of tiny
finder patterns. What might take longer than the deadline therefore runs beside (see ``deadline``).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from emulators.camera_scanner import looks
from emulators.camera_scanner.deadline import within
from emulators.camera_scanner.finders import find_places
from emulators.camera_scanner.flattening import (
    BENT_MARGIN,
    MARGIN,
    cut_out,
    flattened,
    framed,
    on_a_bottle,
    unrolled,
)
from emulators.camera_scanner.frames import Corners, require_image
from emulators.camera_scanner.preparations import THOROUGH, Preparation, preparations, shrink, to_gray
from emulators.env import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emulators.camera_scanner.frames import Image

__all__ = ["DEADLINE_MS", "Corners", "Read", "read_codes"]

DEADLINE_MS = 250.0
"""Nobody waits longer than this many milliseconds for a picture to be read."""

_SPARE_MS, _SPARE_SHARE = 8.0, 0.4
"""So much before the deadline, of a short one so great a share of it, the search ends: who waits must get a core in time."""

_WORST_MS_PER_SQUARE_PIXEL = 1e-9
"""The longest look at a picture made to take long, over the square of its pixels, doubled: 0.1 s at 640x480."""

_HUGE_PIXELS, _SHRUNK_SIDE = 2_500_000, 2048
"""Pictures with more pixels are seen with no side longer than this first."""

_SECOND_OPINION_PIXELS = 1600
"""zbar looks at pictures with no side longer than this: its time grows with their area, and there is a deadline."""

_ZXING, _MICRO, _LAST_PLACE = "zxing-cpp", "micro", "last place"
_COLOURS = ("blue", "green", "red")
_MOST_SIGHTS, _MOST_PLACES = 2, 12

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


def read_codes(  # noqa: PLR0913 - each of them alone is asked for by somebody
    image: Image,
    *,
    deadline_ms: float = DEADLINE_MS,
    thorough: bool = False,
    micro: bool = False,
    seen: tuple[Read, ...] = (),
    now: Callable[[], float] = _now,
) -> tuple[Read, ...]:
    """QR codes in ``image``, left to right: all that the first successful stage finds, or ``thorough``, what all stages find.

    Args:
        image: gray or colour, any size up to ``frames.MAX_PIXELS``; a code needs two pixels a module or more.
        deadline_ms: before this time is over comes the answer, with what was found so far. The first stage is always begun, another one
            only if it would be over in time should it take as long as the longest before it.
        thorough: look on after the first code, and for the first one ask zbar too, and undo blur: for a picture after
            which no other comes.
        micro: look for Micro QR too, where there is no other code; see ``Read.micro``.
        seen: what was read in the picture before this one. It is looked for where it was first, and when all of it is
            still there, and nothing else, that is the answer.
        now: tells the time in seconds.

    Raises:
        ImageError: if ``image`` is not a picture.
    """
    search = _Search(require_image(image), deadline_ms, now, thorough=thorough, micro=micro, seen=seen)
    if _WORST_MS_PER_SQUARE_PIXEL * (image.shape[0] * image.shape[1]) ** 2 < deadline_ms:
        search.look()
    if not search.over:
        within(search.look_on, search.until - now())
    reads = search.reads
    return tuple(sorted(reads, key=lambda read: _middle(read.corners))) if len(reads) > 1 else reads


class _Stage(NamedTuple):
    """One look at the picture."""

    decoder: str
    name: str
    begun: float
    found: list[looks.Found]


class _Search:
    """One picture's way through the cascade."""

    def __init__(  # noqa: PLR0913 - what ``read_codes`` is asked
        self,
        image: Image,
        deadline_ms: float,
        now: Callable[[], float],
        *,
        thorough: bool,
        micro: bool,
        seen: tuple[Read, ...],
    ) -> None:
        self._now, self._begun = now, now()
        self.until = self._begun + (deadline_ms - min(_SPARE_MS, deadline_ms * _SPARE_SHARE)) / 1000
        self._thorough, self._micro = thorough, micro
        self._stages = self._cascade(image, seen)
        self._longest = 0.0
        self.over = False
        self.reads: tuple[Read, ...] = ()
        """What was read so far."""

    def look(self) -> None:
        """Take the next look; after it the search is ``over`` if it need not go on, or has no time for another one."""
        stage = next(self._stages, None)
        if stage is None:
            self.over = True
            return
        ended = self._now()
        milliseconds = (ended - self._begun) * 1000
        reads = [
            Read(code.data, *code[1:5], stage.decoder, stage.name, milliseconds, stage.name == _MICRO)
            for code in stage.found
            if code.data is not None
        ]
        # One place, one code: what a later look makes of a place that was read is the same, or wrong.
        if reads:
            self.reads += tuple([read for read in reads if not self._is_read(read.corners)] if self.reads else reads)
        self._longest = max(self._longest, ended - stage.begun)
        enough = bool(reads) and (not self._thorough or stage.name == _LAST_PLACE)
        self.over = enough or ended + self._longest >= self.until

    def look_on(self) -> None:
        """Take all looks that are left."""
        while not self.over:
            self.look()

    def _cascade(self, image: Image, seen: tuple[Read, ...]) -> Iterator[_Stage]:
        """What each look finds, cheapest first; a stage runs only when it is asked for."""
        now = self._now
        if seen:
            begun = now()
            found = looks.where_they_were(image, [(read.data, read.corners) for read in seen])
            yield _Stage(_ZXING, _LAST_PLACE, begun, found)
        begun, scale = now(), 1.0
        # Every reader begins with this, and takes longer over it than OpenCV.
        gray = whole = to_gray(image)
        if image.shape[0] * image.shape[1] > _HUGE_PIXELS:
            gray, scale = shrink(whole, _SHRUNK_SIDE)
            begun = now()
        sights = looks.by_zxing(gray, with_errors=True)
        yield _Stage(_ZXING, "direct" if scale == 1 else "shrunk", begun, _moved(sights, scale))
        if self._micro and not self.reads:
            begun = now()
            yield _Stage(_ZXING, _MICRO, begun, _moved(looks.micro_codes(gray), scale))
        if scale > 1:
            # Time grows with the area.
            took, begun = now() - begun, now()
            if begun + 1.5 * took * scale * scale < self.until:
                yield _Stage(_ZXING, "direct", begun, looks.in_tiles(whole, self.until, now))
        for preparation in preparations(gray):
            yield self._prepared(gray, preparation, scale)
        for code in [code for code in sights if code.data is None][:_MOST_SIGHTS]:
            yield from self._squarely(whole, looks.scaled(code.corners, scale))
        if self._thorough:
            yield from self._to_the_end(image, whole, gray, scale)

    def _squarely(self, whole: Image, corners: Corners) -> Iterator[_Stage]:
        """Looks at a place as if from straight before it."""
        begun = self._now()
        part, inside = cut_out(whole, corners)
        flat = flattened(part, inside)
        yield _Stage(_ZXING, "flattened", begun, looks.put_back(looks.by_zxing(flat), corners, MARGIN))
        begun = self._now()
        yield _Stage("opencv", "sampled", begun, looks.put_back(looks.by_opencv(flat), corners))

    def _to_the_end(self, image: Image, whole: Image, gray: Image, scale: float) -> Iterator[_Stage]:
        """Looks that cost more: each colour alone, places where a code must be, and for the first code anything that helps."""
        if image.ndim == 3:
            for number, colour in enumerate(_COLOURS):
                begun = self._now()
                small, shrunk = shrink(np.ascontiguousarray(image[:, :, number]), _SHRUNK_SIDE)
                yield _Stage(_ZXING, colour, begun, _moved(looks.by_zxing(small), shrunk))
        begun = self._now()
        places = find_places(gray, [looks.scaled(read.corners, 1 / scale) for read in self.reads])
        yield _Stage(_ZXING, "finder patterns", begun, [])
        for place in places[:_MOST_PLACES]:
            yield from self._closely(whole, looks.scaled(place, scale))
        if not self.reads:
            begun = self._now()
            small, shrunk = shrink(gray, _SECOND_OPINION_PIXELS)
            yield _Stage("zbar", "direct", begun, _moved(looks.by_zbar(small), shrunk * scale))
            for preparation in THOROUGH:
                yield self._prepared(gray, preparation, scale)

    def _closely(self, whole: Image, corners: Corners) -> Iterator[_Stage]:
        """Looks at a place where three finder patterns are, until a code is read there."""
        stages = chain(self._squarely(whole, corners), self._unrolled(whole, corners))
        while not self._is_read(corners) and (stage := next(stages, None)) is not None:
            yield stage

    def _unrolled(self, whole: Image, corners: Corners) -> Iterator[_Stage]:
        """Looks at a place without what is around it, and as if it were on a bottle."""
        part, inside = cut_out(whole, corners)
        begun = self._now()
        alone = framed(flattened(part, inside))
        yield _Stage(_ZXING, "framed", begun, looks.put_back(looks.by_zxing(alone), corners, MARGIN))
        begun = self._now()
        around = on_a_bottle(corners)
        for flat in unrolled(part, inside):
            yield _Stage(_ZXING, "unrolled", begun, looks.put_back(looks.by_zxing(flat), around, BENT_MARGIN))
            begun = self._now()

    def _is_read(self, corners: Corners) -> bool:
        """Whether a code was read at this place."""
        return any(_at_one_place(read.corners, corners) for read in self.reads)

    def _prepared(self, gray: Image, preparation: Preparation, scale: float) -> _Stage:
        """A look at ``gray`` after a preparation."""
        begun = self._now()
        found = looks.by_zxing(preparation.prepare(gray))
        return _Stage(_ZXING, preparation.stage, begun, _moved(found, preparation.scale * scale))


def _moved(found: list[looks.Found], scale: float) -> list[looks.Found]:
    """Codes with their corners in pixels of a picture that is ``scale`` times as large."""
    return found if scale == 1.0 else [code._replace(corners=looks.scaled(code.corners, scale)) for code in found]


def _at_one_place(corners: Corners, other: Corners) -> bool:
    """Whether the middles of two places are nearer than half a side."""
    (x, y), (other_x, other_y) = _middle(corners), _middle(other)
    side = max(abs(one - x) + abs(two - y) for one, two in corners)
    return abs(x - other_x) + abs(y - other_y) < side / 2


def _middle(corners: Corners) -> tuple[float, float]:
    return sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4
