"""Photographs of codes: a sheet with a code, bent and leaning, somewhere in a cluttered place, as a ``Wish`` asks for it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
import segno
from numpy.typing import NDArray

from emulators.camera_scanner import optics
from emulators.camera_scanner.frames import Image

MODULE = 12
"""Pixels a module in the picture that is drawn of a code, before a camera sees it."""
QUIET = 4
_SIZES = ((1280, 960), (2048, 1536), (4000, 3000))

Place = tuple[tuple[float, float], float]
"""The middle of a code in a picture, and its side, in pixels."""
Random = np.random.Generator


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


def take(rng: Random, wish: Wish) -> tuple[Image, frozenset[bytes]]:
    """A picture as wished, and the bytes of the codes in it."""
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
        module = min(module, side / (modules.shape[0] + 2 * QUIET))
    for change_all in wish.spoil:
        image = change_all(rng, image, module)
    # No camera is without these.
    image = optics.lens_blur(image, float(rng.uniform(0.3, 0.9)))
    image = optics.sensor_noise(image, float(rng.uniform(1, 6)), int(rng.integers(2**32)))
    return optics.jpeg(image, int(rng.integers(*wish.jpeg))), frozenset(payloads)


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
    possible = [one for one in wish.versions if side / (17 + 4 * one + 2 * QUIET) >= 2.5] or [min(wish.versions)]
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
    return coloured(modules, (20, 20, 20), (245, 245, 245))


def coloured(modules: NDArray[np.bool_], ink: tuple[float, ...], paper: tuple[float, ...], quiet: int = QUIET) -> Image:
    """Ink on paper, with a quiet zone of so many modules."""
    grid = np.pad(modules, quiet)[:, :, None]
    small = np.where(grid, np.array(ink), np.array(paper)).astype(np.uint8)
    return np.asarray(np.repeat(np.repeat(small, MODULE, axis=0), MODULE, axis=1), np.uint8)


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
