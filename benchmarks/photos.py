"""Photographs as people take them: what each reader gets out of pictures of one to twelve million pixels.

``python -m benchmarks.photos`` prints the share of codes that are read, by kind of picture, and wrong reads. It knows nothing
of ``corpus``: other backgrounds, other severities, styles of codes that do not follow the standard, many codes in a picture.
A picture counts for as many codes as it shows; a reader that hands over bytes which stand in none of them is wrong.
"""

import argparse
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
import segno
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.readers import EXACT_READERS, Reader
from emulators.camera_scanner import optics
from emulators.camera_scanner.frames import Image
from emulators.camera_scanner.preparations import shrink, to_gray

_ARUCO_SIDE = 1280
"""OpenCV's search takes minutes on some larger pictures: it sees them shrunk to this."""
_MODULE = 12
"""Pixels a module in the picture that is drawn of a code, before a camera sees it."""
_QUIET = 4
_SIZES = ((1280, 960), (2048, 1536), (4000, 3000))

Place = tuple[tuple[float, float], float]
"""The middle of a code in a picture, and its side, in pixels."""
Random = np.random.Generator


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """One picture, and what is in it."""

    kind: str
    image: Image
    payloads: frozenset[bytes]


@dataclass
class Wish:
    """What a kind of photograph asks for; each part has a plain default."""

    size: tuple[int, int] | None = None
    share: tuple[float, float] = (0.12, 0.5)
    """Of the picture's width, for one code with its quiet zone."""
    codes: Callable[[Random], int] = lambda _: 1
    roll: float = 10.0
    tilt: float = 12.0
    level: str = "LMQH"
    versions: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    style: Callable[[Random, NDArray[np.bool_]], Image] | None = None
    """Draws the modules of a code, quiet zone and all, in colour."""
    curved: bool = False
    spoil: list[Callable[[Random, Image, float], Image]] = field(default_factory=list)
    """What happens to the whole picture; the number is pixels a module."""
    sheet: list[Callable[[Random, Image], Image]] = field(default_factory=list)
    """What happens to the sheet of paper with the code."""
    jpeg: tuple[int, int] = (70, 95)


def photo(kind: str, number: int) -> Photo:
    """The picture of a kind with this number: always the same."""
    rng = np.random.default_rng((20261122, KINDS_IN_ORDER.index(kind), number))
    wish = KINDS[kind]
    size = wish.size or _SIZES[int(rng.choice(3, p=(0.5, 0.35, 0.15)))]
    image = background(rng, size)
    places = _places(rng, wish.codes(rng), wish.share, size)
    payloads = set()
    module = math.inf
    for place in places:
        side = place[1]
        modules, data = _modules(rng, wish, side)
        sheet = (wish.style or plain)(rng, modules)
        for change in wish.sheet:
            sheet = change(rng, sheet)
        image = _paste(rng, image, sheet, place, wish)
        payloads.add(data)
        module = min(module, side / (modules.shape[0] + 2 * _QUIET))
    for change_all in wish.spoil:
        image = change_all(rng, image, module)
    # No camera is without these.
    image = optics.lens_blur(image, float(rng.uniform(0.3, 0.9)))
    image = optics.sensor_noise(image, float(rng.uniform(1, 6)), int(rng.integers(2**32)))
    return Photo(kind, optics.jpeg(image, int(rng.integers(*wish.jpeg))), frozenset(payloads))


def background(rng: Random, size: tuple[int, int]) -> Image:
    """A cluttered place: clouds of light, boxes and lines, print, and gratings that look like codes from afar."""
    width, height = size
    scene = np.zeros((height, width, 3), np.float32)
    for octave in (3, 9, 40, 160):
        clouds = rng.uniform(0, 1, (max(2, octave * height // width), octave, 3)).astype(np.float32)
        scene += np.asarray(cv2.resize(clouds, size, interpolation=cv2.INTER_CUBIC), np.float32) / (1 + octave / 12)
    scene = (scene - scene.min()) / (scene.max() - scene.min()) * 200 + 20
    image = np.asarray(scene, np.uint8)
    unit = width / 1280
    for _ in range(int(rng.integers(10, 40))):
        x, y = (int(at) for at in rng.uniform(0, 1, 2) * size)
        wide, high = (int(side) for side in rng.uniform(20, 260, 2) * unit)
        colour = tuple(float(part) for part in rng.uniform(0, 255, 3))
        kind = rng.integers(4)
        if kind == 0:
            cv2.rectangle(image, (x, y), (x + wide, y + high), colour, -1)
        elif kind == 1:
            cv2.line(image, (x, y), (x + wide, y - high), colour, max(1, int(rng.uniform(1, 12) * unit)), cv2.LINE_AA)
        elif kind == 2:
            text = "".join(rng.choice(list("ABCDEFGHIKLMNOPQRSTUVWXYZ 0123456789"), 24))
            cv2.putText(image, text, (x, y), cv2.FONT_HERSHEY_DUPLEX, rng.uniform(0.5, 2) * unit, colour, 2)
        else:
            for step in range(0, wide, max(2, int(rng.uniform(4, 16) * unit))):
                cv2.line(image, (x + step, y), (x + step, y + high), colour, max(1, int(2 * unit)))
    return image


def _places(rng: Random, count: int, share: tuple[float, float], size: tuple[int, int]) -> list[Place]:
    """Where codes stand, and how large: in a grid when there are several, so that none covers another."""
    across = math.ceil(math.sqrt(count * size[0] / size[1])) if count > 1 else 1
    down = math.ceil(count / across)
    cell = min(size[0] / across, size[1] / down)
    places = []
    for number in range(count):
        side = float(rng.uniform(*share)) * size[0] if count == 1 else cell * float(rng.uniform(0.5, 0.75))
        side = min(side, 0.9 * min(size))
        left, top = number % across * size[0] / across, number // across * size[1] / down
        room = size[0] / across - 1.1 * side, size[1] / down - 1.1 * side
        x, y = (float(rng.uniform(0.2, 0.8)) * max(0.0, one) for one in room)
        places.append(((left + 0.55 * side + x, top + 0.55 * side + y), side))
    return places


def _modules(rng: Random, wish: Wish, side: float) -> tuple[NDArray[np.bool_], bytes]:
    """A code that is at least two and a half pixels a module when it is ``side`` wide."""
    possible = [one for one in wish.versions if side / (17 + 4 * one + 2 * _QUIET) >= 2.5] or [min(wish.versions)]
    version, level = int(rng.choice(possible)), str(rng.choice(list(wish.level)))
    text = "https://example.test/" + "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz0123456789"), 2400))
    length = 2400
    while True:
        try:
            qr = segno.make(text[:length], version=version, error=level, micro=False, boost_error=False, mode="byte")
        except segno.DataOverflowError:
            length = length * 9 // 10
        else:
            break
    return np.array([list(row) for row in qr.matrix], bool), text[:length].encode()


def plain(_rng: Random, modules: NDArray[np.bool_]) -> Image:
    """Black on white, with a quiet zone of four modules."""
    return _coloured(modules, (20, 20, 20), (245, 245, 245))


def _coloured(
    modules: NDArray[np.bool_], ink: tuple[float, ...], paper: tuple[float, ...], quiet: int = _QUIET
) -> Image:
    grid = np.pad(modules, quiet)[:, :, None]
    small = np.where(grid, np.array(ink), np.array(paper)).astype(np.uint8)
    return np.asarray(np.repeat(np.repeat(small, _MODULE, axis=0), _MODULE, axis=1), np.uint8)


def _paste(rng: Random, image: Image, sheet: Image, place: Place, wish: Wish) -> Image:
    """The sheet in the picture: bent, turned and leaning as wished."""
    centre, side = place
    if side < sheet.shape[0]:
        # Shrunk by area first: what the warp leaves out would be lost.
        near = max(64, round(side * 1.3))
        sheet = np.asarray(cv2.resize(sheet, (near, near), interpolation=cv2.INTER_AREA), np.uint8)
    if wish.curved:
        sheet, mask = _bent(rng, sheet)
    else:
        mask = np.full(sheet.shape[:2], 255, np.uint8)
    high, wide = sheet.shape[:2]
    view = optics.View(
        tilt=float(rng.uniform(-wish.tilt, wish.tilt)),
        pan=float(rng.uniform(-wish.tilt, wish.tilt)),
        roll=float(rng.uniform(-wish.roll, wish.roll)),
        across=centre[0] - image.shape[1] / 2,
        down=centre[1] - image.shape[0] / 2,
        zoom=side / max(high, wide),
    )
    size = (image.shape[1], image.shape[0])
    homography = optics.pose(size, (wide, high), view)
    covers = cv2.warpPerspective(mask, homography, size, flags=cv2.INTER_LINEAR)
    seen = cv2.warpPerspective(sheet, homography, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    image = image.copy()
    left, top, across, down = cv2.boundingRect(covers)
    box = np.s_[top : top + down, left : left + across]
    weight = covers[box][:, :, None].astype(np.float32) / 255
    image[box] = (seen[box] * weight + image[box] * (1 - weight)).astype(np.uint8)
    return image


def _bent(rng: Random, sheet: Image) -> tuple[Image, Image]:
    """The sheet around a bottle, put on it any way round: its columns crowd together towards the edges, and bow."""
    sheet = np.ascontiguousarray(np.rot90(sheet, int(rng.integers(4))))
    high, wide = sheet.shape[:2]
    half_angle = math.radians(float(rng.uniform(25, 65)))
    bow = float(rng.uniform(0, 0.15)) * high
    x = np.linspace(-1, 1, wide, dtype=np.float32)
    angle = np.arcsin(x * math.sin(half_angle))
    source_x = ((angle / half_angle + 1) / 2 * (wide - 1)).astype(np.float32)
    sag = ((1 - np.cos(angle)) / (1 - math.cos(half_angle)) * bow).astype(np.float32)
    rows = np.arange(high + math.ceil(bow), dtype=np.float32)[:, None]
    map_y = rows - sag[None, :]
    map_x = np.repeat(source_x[None, :], len(rows), axis=0)
    bent = cv2.remap(sheet, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    shade = (0.45 + 0.55 * np.cos(angle))[None, :, None]
    mask = ((map_y >= 0) & (map_y <= high - 1)).astype(np.uint8) * 255
    if rng.random() < 0.5:  # a bottle that lies
        return np.ascontiguousarray(np.rot90((bent * shade).astype(np.uint8))), np.ascontiguousarray(np.rot90(mask))
    return (bent * shade).astype(np.uint8), mask


# What stands on the paper.


def _logo(rng: Random, modules: NDArray[np.bool_]) -> Image:
    sheet = plain(rng, modules)
    side = modules.shape[0] * _MODULE
    middle = sheet.shape[0] // 2
    reach = int(side * rng.uniform(0.08, 0.14))
    colour = tuple(float(part) for part in rng.uniform(0, 255, 3))
    cv2.rectangle(sheet, (middle - reach, middle - reach), (middle + reach, middle + reach), (255, 255, 255), -1)
    cv2.circle(sheet, (middle, middle), reach * 9 // 10, colour, -1, cv2.LINE_AA)
    cv2.putText(sheet, "A", (middle - reach // 2, middle + reach // 2), 0, reach / 22, (255, 255, 255), reach // 8 + 1)
    return sheet


def _inverted(rng: Random, modules: NDArray[np.bool_]) -> Image:
    dark = tuple(float(part) for part in rng.uniform(0, 70, 3))
    light = tuple(float(part) for part in rng.uniform(190, 255, 3))
    return _coloured(modules, light, dark)


def _on_colour(rng: Random, modules: NDArray[np.bool_]) -> Image:
    """Two colours: of which one channel tells them apart well, and luminance perhaps hardly."""
    while True:
        ink, paper = rng.uniform(0, 255, (2, 3))
        apart = np.abs(ink - paper).max()
        luminance = float(np.dot(paper - ink, (0.114, 0.587, 0.299)))
        if apart > 60 and 4 < luminance < 45:
            return _coloured(modules, tuple(ink), tuple(paper))


def _no_quiet_zone(rng: Random, modules: NDArray[np.bool_]) -> Image:
    """A frame, a picture or print where nothing should stand; at most one module of quiet."""
    sheet = _coloured(modules, (20, 20, 20), (245, 245, 245), quiet=int(rng.integers(0, 2)))
    frame = (_QUIET * _MODULE * 2 + modules.shape[0] * _MODULE - sheet.shape[0]) // 2
    around = background(rng, (sheet.shape[1] + 2 * frame, sheet.shape[0] + 2 * frame))
    if rng.random() < 0.4:
        around[:] = rng.uniform(0, 120, 3)
    around[frame : frame + sheet.shape[0], frame : frame + sheet.shape[1]] = sheet
    return around


def _round_modules(rng: Random, modules: NDArray[np.bool_]) -> Image:
    """Dots instead of squares, as design agencies like them; finder patterns are rings, or squares as ever."""
    side = (modules.shape[0] + 2 * _QUIET) * _MODULE
    ink = tuple(float(part) for part in rng.uniform(0, 90, 3))
    sheet = np.full((side, side, 3), 250, np.uint8)
    radius = _MODULE * float(rng.uniform(0.36, 0.52))
    count = modules.shape[0]
    for row, column in zip(*np.nonzero(modules), strict=True):
        corner = (row < 7 or row >= count - 7) and (column < 7 or column >= count - 7)
        if corner and not (row >= count - 7 and column >= count - 7):
            continue
        at = (int((column + _QUIET + 0.5) * _MODULE * 16), int((row + _QUIET + 0.5) * _MODULE * 16))
        cv2.circle(sheet, at, int(radius * 16), ink, -1, cv2.LINE_AA, 4)
    rings = rng.random() < 0.5
    for row, column in ((0, 0), (0, count - 7), (count - 7, 0)):
        left, top = (column + _QUIET) * _MODULE, (row + _QUIET) * _MODULE
        if rings:
            middle = (left + 7 * _MODULE // 2, top + 7 * _MODULE // 2)
            cv2.circle(sheet, middle, 3 * _MODULE, ink, _MODULE, cv2.LINE_AA)
            cv2.circle(sheet, middle, 3 * _MODULE // 2, ink, -1, cv2.LINE_AA)
        else:
            for inset, colour in ((0, ink), (1, (250.0, 250.0, 250.0)), (2, ink)):
                near, far = inset * _MODULE, (7 - inset) * _MODULE - 1
                cv2.rectangle(sheet, (left + near, top + near), (left + far, top + far), colour, -1)
    return sheet


# What happened to the paper.


def _damage(rng: Random, sheet: Image) -> Image:
    """Scratches, stains, and a corner torn off."""
    side = sheet.shape[0]
    for _ in range(int(rng.integers(1, 5))):
        ends = [tuple(int(at) for at in rng.uniform(0, side, 2)) for _ in range(2)]
        cv2.line(sheet, ends[0], ends[1], (215, 220, 220), int(rng.uniform(2, 0.025 * side)), cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 4))):
        at = tuple(int(place) for place in rng.uniform(0.1, 0.9, 2) * side)
        cv2.circle(sheet, at, int(rng.uniform(0.01, 0.06) * side), (60, 80, 90), -1, cv2.LINE_AA)
    if rng.random() < 0.4:
        reach = int(side * rng.uniform(0.1, 0.3))
        cv2.fillPoly(sheet, [np.array([(side, side), (side - reach, side), (side, side - reach)])], (90, 110, 130))
    return sheet


def _printed_noise(rng: Random, sheet: Image) -> Image:
    """Rough paper and a worn print: grains of one to three modules' thirds."""
    grain = max(1, int(_MODULE * rng.uniform(0.15, 0.5)))
    small = rng.standard_normal((sheet.shape[0] // grain + 1,) * 2).astype(np.float32) * rng.uniform(20, 75)
    rough = cv2.resize(small, sheet.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray((sheet + rough[:, :, None]).clip(0, 255), np.uint8)


# What light and the camera do.


def _shadow(rng: Random, image: Image, _module: float) -> Image:
    """One edge of shadow across the picture, or the shadow of leaves."""
    height, width = image.shape[:2]
    dark = float(rng.uniform(0.15, 0.5))
    light = np.full((height, width), 255, np.uint8)
    for _ in range(int(rng.choice((1, 1, 8)))):
        corners = rng.uniform(-0.1, 1.1, (4, 2)) * (width, height)
        cv2.fillPoly(light, [corners.astype(np.int32)], (round(255 * dark),))
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), float(rng.uniform(1, 12)) * width / 1280), np.uint8)
    return np.asarray(cv2.multiply(image, cv2.merge([light] * 3), scale=1 / 255), np.uint8)


def _bright_spots(rng: Random, image: Image, _module: float) -> Image:
    for _ in range(int(rng.integers(1, 4))):
        image = optics.glare(image, float(rng.uniform(0.5, 1.5)), int(rng.integers(2**32)))
    return image


def _exposed(rng: Random, image: Image, _module: float) -> Image:
    """Much too bright or much too dark."""
    gain = float(rng.uniform(1.5, 4) if rng.random() < 0.5 else rng.uniform(0.06, 0.3))
    return np.asarray((image * np.float32(gain)).clip(0, 255), np.uint8)


def _blurred(rng: Random, image: Image, module: float) -> Image:
    if rng.random() < 0.5:
        return optics.lens_blur(image, float(rng.uniform(0.25, 0.6)) * module)
    return optics.motion_blur(image, float(rng.uniform(0.6, 1.8)) * module, int(rng.integers(2**32)))


def _monitor(rng: Random, image: Image, _module: float) -> Image:
    return optics.moire(image, float(rng.uniform(0.3, 0.8)), int(rng.integers(2**32)))


KINDS: dict[str, Wish] = {
    "nominal": Wish(),
    "large": Wish(size=(4000, 3000), share=(0.05, 0.3)),
    "close": Wish(share=(0.7, 0.75)),
    "rotated": Wish(roll=180),
    "perspective": Wish(tilt=45, roll=30, share=(0.2, 0.5)),
    "curved": Wish(curved=True, share=(0.2, 0.5)),
    "logo": Wish(level="H", versions=(3, 4, 5, 6, 7, 8), style=_logo),
    "inverted": Wish(style=_inverted),
    "on colour": Wish(style=_on_colour),
    "no quiet zone": Wish(style=_no_quiet_zone),
    "round modules": Wish(style=_round_modules),
    "several": Wish(codes=lambda rng: int(rng.integers(2, 9))),
    "lots": Wish(codes=lambda rng: int(rng.integers(20, 50)), size=(4000, 3000), versions=(1, 2, 3)),
    "high version": Wish(versions=tuple(range(15, 41)), size=(4000, 3000), share=(0.3, 0.7)),
    "damaged": Wish(sheet=[_damage]),
    "printed noise": Wish(sheet=[_printed_noise]),
    "shadow": Wish(spoil=[_shadow]),
    "bright spots": Wish(spoil=[_bright_spots]),
    "exposure": Wish(spoil=[_exposed]),
    "blurred": Wish(spoil=[_blurred]),
    "monitor": Wish(spoil=[_monitor]),
    "jpeg": Wish(jpeg=(8, 21)),
}
"""By names like those of public photo sets."""
KINDS_IN_ORDER = tuple(KINDS)


def _by_aruco(image: Image) -> set[bytes]:
    small, _ = shrink(to_gray(image), _ARUCO_SIDE)
    try:
        return {text.encode() for text in cv2.QRCodeDetectorAruco().detectAndDecodeMulti(small)[1] if text}
    except cv2.error:
        return set()


READERS: dict[str, Reader] = {**EXACT_READERS, "OpenCV Aruco": _by_aruco}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="pictures of each kind")
    parser.add_argument("--first", type=int, default=0, help="the first number")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="KIND", help="only these")
    parser.add_argument(
        "--readers", nargs="+", choices=READERS, default=list(READERS), metavar="NAME", help="only these"
    )
    parser.add_argument("--missed", action="store_true", help="say what others read and we do not")
    args = parser.parse_args()
    codes: Counter[str] = Counter()
    hits: dict[str, Counter[str]] = {name: Counter() for name in args.readers}
    wrong: Counter[str] = Counter()
    seconds: dict[str, list[float]] = {name: [] for name in args.readers}
    console = Console(stderr=True)
    numbers = [(kind, args.first + number) for kind in args.kinds for number in range(args.count)]
    for kind, number in track(numbers, description="reading", console=console):
        seen = photo(kind, number)
        codes[kind] += len(seen.payloads)
        found = {}
        for name in args.readers:
            begun = time.perf_counter()
            found[name] = READERS[name](seen.image)
            seconds[name].append(time.perf_counter() - begun)
            hits[name][kind] += len(found[name] & seen.payloads)
            wrong[name] += len(found[name] - seen.payloads)
        if args.missed:
            ours = found.get("authrig, thorough", set())
            others = {
                name: len((got & seen.payloads) - ours) for name, got in found.items() if (got & seen.payloads) - ours
            }
            if others:
                print(f"{kind} {number}: {others}", flush=True)
    table = Table("kind", "codes", *args.readers)
    for kind in args.kinds:
        table.add_row(kind, str(codes[kind]), *(f"{hits[name][kind] / codes[kind]:.0%}" for name in args.readers))
    rates = [sum(hits[name][kind] / codes[kind] for kind in args.kinds) / len(args.kinds) for name in args.readers]
    table.add_row("mean of the kinds", "", *(f"{rate:.1%}" for rate in rates))
    table.add_row("wrong", "", *(str(wrong[name]) for name in args.readers))
    table.add_row("median ms", "", *(f"{1e3 * sorted(seconds[name])[len(numbers) // 2]:.0f}" for name in args.readers))
    table.add_row("slowest ms", "", *(f"{1e3 * max(seconds[name]):.0f}" for name in args.readers))
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
