"""The kinds of photographs: what stands on the paper, what happened to it, and what light and the camera do."""

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.photo_scene import MODULE, QUIET, Random, Wish, background, coloured, plain
from emulators.camera_scanner import optics
from emulators.camera_scanner.frames import Image

# What stands on the paper.


def _logo(rng: Random, modules: NDArray[np.bool_]) -> Image:
    sheet = plain(rng, modules)
    side = modules.shape[0] * MODULE
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
    return coloured(modules, light, dark)


def _on_colour(rng: Random, modules: NDArray[np.bool_]) -> Image:
    """Two colours: of which one channel tells them apart well, and luminance perhaps hardly."""
    while True:
        ink, paper = rng.uniform(0, 255, (2, 3))
        apart = np.abs(ink - paper).max()
        luminance = float(np.dot(paper - ink, (0.114, 0.587, 0.299)))
        if apart > 60 and 4 < luminance < 45:
            return coloured(modules, tuple(ink), tuple(paper))


def _no_quiet_zone(rng: Random, modules: NDArray[np.bool_]) -> Image:
    """A frame, a picture or print where nothing should stand; at most one module of quiet."""
    sheet = coloured(modules, (20, 20, 20), (245, 245, 245), quiet=int(rng.integers(0, 2)))
    frame = (QUIET * MODULE * 2 + modules.shape[0] * MODULE - sheet.shape[0]) // 2
    around = background(rng, (sheet.shape[1] + 2 * frame, sheet.shape[0] + 2 * frame))
    if rng.random() < 0.4:
        around[:] = rng.uniform(0, 120, 3)
    around[frame : frame + sheet.shape[0], frame : frame + sheet.shape[1]] = sheet
    return around


def _round_modules(rng: Random, modules: NDArray[np.bool_]) -> Image:
    """Dots instead of squares, as design agencies like them; finder patterns are rings, or squares as ever."""
    side = (modules.shape[0] + 2 * QUIET) * MODULE
    ink = tuple(float(part) for part in rng.uniform(0, 90, 3))
    sheet = np.full((side, side, 3), 250, np.uint8)
    radius = MODULE * float(rng.uniform(0.36, 0.52))
    count = modules.shape[0]
    for row, column in zip(*np.nonzero(modules), strict=True):
        corner = (row < 7 or row >= count - 7) and (column < 7 or column >= count - 7)
        if corner and not (row >= count - 7 and column >= count - 7):
            continue
        at = (int((column + QUIET + 0.5) * MODULE * 16), int((row + QUIET + 0.5) * MODULE * 16))
        cv2.circle(sheet, at, int(radius * 16), ink, -1, cv2.LINE_AA, 4)
    rings = rng.random() < 0.5
    for row, column in ((0, 0), (0, count - 7), (count - 7, 0)):
        left, top = (column + QUIET) * MODULE, (row + QUIET) * MODULE
        if rings:
            middle = (left + 7 * MODULE // 2, top + 7 * MODULE // 2)
            cv2.circle(sheet, middle, 3 * MODULE, ink, MODULE, cv2.LINE_AA)
            cv2.circle(sheet, middle, 3 * MODULE // 2, ink, -1, cv2.LINE_AA)
        else:
            for inset, colour in ((0, ink), (1, (250.0, 250.0, 250.0)), (2, ink)):
                near, far = inset * MODULE, (7 - inset) * MODULE - 1
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
    grain = max(1, int(MODULE * rng.uniform(0.15, 0.5)))
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
