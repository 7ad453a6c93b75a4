"""A seeded corpus of photographs of QR codes under sixteen conditions, each well past what can be read.

It measures readers, so it is made without looking at what any of them can do: severities are drawn evenly, from none
to hopeless, and the same number always is the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import segno

from emulators.camera_scanner import optics
from emulators.camera_scanner.optics import View
from emulators.camera_scanner.preset import Scene
from emulators.camera_scanner.scene import draw_scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emulators.camera_scanner.frames import Image

_SIZES = ((640, 480), (1280, 720), (1920, 1080))
_VERSIONS = (2, 5, 10, 15)
_LEVELS = "LMQH"
_SURFACES = ("wood", "office", "hall")
OTHER_CARRIERS = ("phone", "laptop", "badge")
"""What the codes of a second corpus are shown on; on those of the first, sheets of paper, no reader was tuned either."""
OTHER_SIZES = ((480, 640), (800, 600), (1600, 1200))
"""(width, height) in pixels of the pictures of a third corpus."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture, and what is in it."""

    condition: str
    image: Image
    payloads: tuple[bytes, ...]
    """What its codes say."""


@dataclass(frozen=True, slots=True)
class _Look:
    """How a code is looked at before anything is done to the picture."""

    view: View
    share: float = 0.6
    codes: int = 1


class _Chance:
    """What is drawn for one picture."""

    def __init__(self, number: int) -> None:
        self.rng = np.random.default_rng((20260606, number))

    def between(self, low: float, high: float) -> float:
        """A number drawn evenly."""
        return float(self.rng.uniform(low, high))

    def seed(self) -> int:
        """A seed for an effect."""
        return int(self.rng.integers(0, 2**32))


def corpus(
    count: int = 1000,
    first: int = 0,
    carriers: tuple[str, ...] = ("paper",),
    sizes: tuple[tuple[int, int], ...] = _SIZES,
) -> Iterator[Sample]:
    """``count`` pictures from number ``first`` on; the conditions take turns."""
    for number in range(first, first + count):
        yield sample(number, carriers, sizes)


def sample(number: int, carriers: tuple[str, ...] = ("paper",), sizes: tuple[tuple[int, int], ...] = _SIZES) -> Sample:
    """The picture with this number, of one of three ``sizes``; the code is shown on one of the ``carriers``, see ``preset.Scene``."""
    chance = _Chance(number)
    condition = CONDITIONS[number % len(CONDITIONS)]
    look = _CONDITIONS[condition].look(chance)
    rng = chance.rng
    size = sizes[int(rng.choice(len(sizes), p=(0.6, 0.3, 0.1)))]
    version, level = int(rng.choice(_VERSIONS)), str(rng.choice(list(_LEVELS)))
    drawn = [_code(rng, version, level) for _ in range(look.codes)]
    board = drawn[0][1] if len(drawn) == 1 else _beside([picture for _, picture in drawn])
    surface = str(rng.choice(_SURFACES))
    # As many pixels a module as the share of the frame gives, and never fewer than can be told apart.
    share = min(0.95, max(look.share, 1.5 * max(board.shape) / 8 / min(size)))
    carrier = carriers[number // len(CONDITIONS) % len(carriers)]
    scene = Scene(surface=surface, carrier=carrier, code_share=share)  # type: ignore[arg-type] # drawn from its names
    plane = draw_scene(board, scene, size)
    image = optics.perspective(plane, optics.pose(size, (plane.shape[1], plane.shape[0]), look.view), size)
    module = share * min(size) / (max(board.shape) / 8)
    return Sample(condition, _CONDITIONS[condition].spoil(chance, image, module), tuple(data for data, _ in drawn))


def damaged(number: int) -> Image:
    """A picture in which nothing can be read: a code with up to half its modules flipped beyond repair, or none at all."""
    chance = _Chance(1_000_000 + number)
    rng = chance.rng
    size = _SIZES[int(rng.choice(len(_SIZES), p=(0.7, 0.25, 0.05)))]
    kind = number % 4
    if kind == 0:  # a room without a code
        board = np.asarray(rng.integers(0, 256, (int(rng.integers(4, 60)),) * 2, dtype=np.uint8))
    else:
        _, picture = _code(rng, int(rng.choice(_VERSIONS)), str(rng.choice(list(_LEVELS))))
        modules = picture[::8, ::8]
        # Random modules between finder patterns, or a third more wrong ones than the strongest level can repair.
        flips = np.full(modules.shape, 0.5 if kind == 1 else chance.between(0.4, 0.6))
        flips[:13, :13] = flips[:13, -13:] = flips[-13:, :13] = 0
        wrong = rng.random(modules.shape) < flips
        board = np.kron(np.where(wrong, 255 - modules, modules), np.ones((8, 8), np.uint8)).astype(np.uint8)
    scene = Scene(surface=str(rng.choice(_SURFACES)), carrier="paper", code_share=chance.between(0.3, 0.9))  # type: ignore[arg-type] # drawn from its names
    plane = draw_scene(board, scene, size)
    view = View(tilt=chance.between(-30, 30), pan=chance.between(-30, 30), roll=chance.between(-180, 180))
    image = optics.perspective(plane, optics.pose(size, (plane.shape[1], plane.shape[0]), view), size)
    image = optics.lens_blur(image, chance.between(0, 1.5))
    return optics.sensor_noise(image, chance.between(0, 25), chance.seed())


def _code(rng: np.random.Generator, version: int, level: str) -> tuple[bytes, Image]:
    """Random bytes that fill a code of this size, and the code, eight pixels a module with its quiet zone."""
    room = {2: (30, 24, 18, 12), 5: (104, 82, 58, 42), 10: (269, 211, 149, 117), 15: (518, 410, 290, 218)}
    data = rng.bytes(room[version][_LEVELS.index(level)])
    qr = segno.make(data, error=level, version=version, mode="byte", micro=False, boost_error=False)
    modules = np.array([list(row) for row in qr.matrix_iter(scale=1, border=4)], np.uint8)
    return data, np.kron(np.where(modules, 0, 255).astype(np.uint8), np.ones((8, 8), np.uint8)).astype(np.uint8)


def _beside(pictures: list[Image]) -> Image:
    """Codes in a row, as on a sheet of labels."""
    return np.asarray(np.hstack(pictures), np.uint8)


@dataclass(frozen=True, slots=True)
class _Condition:
    """How a code is looked at, and what is then done to the picture; the number is pixels a module."""

    look: Callable[[_Chance], _Look] = lambda chance: _Look(_slightly(chance))
    spoil: Callable[[_Chance, Image, float], Image] = lambda _chance, image, _module: image


def _slightly(chance: _Chance) -> View:
    """As a person holds a camera."""
    return View(tilt=chance.between(-8, 8), pan=chance.between(-8, 8), roll=chance.between(-8, 8))


def _webcam(chance: _Chance, image: Image, module: float) -> Image:
    """A little of everything at once."""
    image = optics.glare(image, chance.between(0, 0.5), chance.seed())
    image = optics.motion_blur(image, chance.between(0, 0.8) * module, chance.seed())
    image = optics.lens_blur(image, chance.between(0.1, 0.5) * module)
    image = optics.vignette(image, 0.4)
    image = optics.exposure(image, chance.between(0.3, 1), chance.between(0.4, 1))
    image = optics.sensor_noise(image, chance.between(4, 25), chance.seed())
    return optics.jpeg(image, int(chance.between(40, 85)))


def _low_light(chance: _Chance, image: Image, _module: float) -> Image:
    """Few photons, and the noise of a sensor that reads them."""
    dark = optics.exposure(image, chance.between(0.02, 0.2))
    return optics.sensor_noise(dark, chance.between(1, 4), chance.seed())


_CONDITIONS: dict[str, _Condition] = {
    "clean": _Condition(),
    "rotate": _Condition(lambda chance: _Look(View(roll=chance.between(-180, 180)))),
    "perspective": _Condition(
        lambda chance: _Look(
            View(tilt=chance.between(-60, 60), pan=chance.between(-60, 60), roll=chance.between(-20, 20))
        )
    ),
    "blur": _Condition(spoil=lambda chance, image, module: optics.lens_blur(image, chance.between(0.2, 0.8) * module)),
    "motion": _Condition(
        spoil=lambda chance, image, module: optics.motion_blur(image, chance.between(0.6, 2.4) * module, chance.seed())
    ),
    "noise": _Condition(
        spoil=lambda chance, image, _: optics.sensor_noise(image, chance.between(20, 110), chance.seed())
    ),
    "low contrast": _Condition(
        spoil=lambda chance, image, _: optics.sensor_noise(
            optics.exposure(image, 1, chance.between(0.03, 0.2)), chance.between(0, 3), chance.seed()
        )
    ),
    "low light": _Condition(spoil=_low_light),
    "glare": _Condition(spoil=lambda chance, image, _: optics.glare(image, chance.between(0.4, 3), chance.seed())),
    "occlusion": _Condition(
        spoil=lambda chance, image, _: optics.occlusion(image, chance.between(0.01, 0.2), chance.seed())
    ),
    "small": _Condition(lambda chance: _Look(_slightly(chance), share=chance.between(0.05, 0.3))),
    "inverted": _Condition(spoil=lambda _chance, image, _: np.asarray(255 - image, np.uint8)),
    "jpeg": _Condition(spoil=lambda chance, image, _: optics.jpeg(image, int(chance.between(3, 40)))),
    "moire": _Condition(spoil=lambda chance, image, _: optics.moire(image, chance.between(0.3, 1), chance.seed())),
    "several": _Condition(lambda chance: _Look(_slightly(chance), share=0.9, codes=2)),
    "webcam": _Condition(spoil=_webcam),
}
CONDITIONS = tuple(_CONDITIONS)
