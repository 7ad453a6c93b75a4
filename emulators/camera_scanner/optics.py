"""What light, a hand, a lens and a sensor do to a picture.

Every effect is a pure function: the same picture, strength and seed give the same bytes, a strength of 0 gives the
picture back, and the picture passed in is never written to. They compose in any order; a camera meets them in the order
in which they stand here. Built to be quick at 640x480: one warp, small kernels, look-up tables, noise that is drawn once.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emulators.camera_scanner.frames import Image

_NOISE_MARGIN = 64
_NOISE_UNITS = 32


@dataclass(frozen=True, slots=True)
class View:
    """How a flat plane lies before a camera; the default faces it squarely, pixel for pixel."""

    tilt: float = 0.0
    """Degrees by which its top leans away."""
    pan: float = 0.0
    """Degrees by which its right side turns away."""
    roll: float = 0.0
    """Degrees by which it turns clockwise in the picture."""
    across: float = 0.0
    """Pixels by which its centre stands to the right of the picture's."""
    down: float = 0.0
    """Pixels by which its centre stands below the picture's."""
    zoom: float = 1.0
    """Magnification at its centre."""


def pose(size: tuple[int, int], plane: tuple[int, int], view: View) -> NDArray[np.float64]:
    """The homography with which a pinhole camera of ``size`` sees a flat ``plane``, both (width, height) in pixels."""
    focal = 1.2 * max(size)  # about 45 degrees across: a webcam
    about_x, about_y, about_z = (math.radians(angle) for angle in (-view.tilt, -view.pan, view.roll))
    lean = np.array([[1, 0, 0], [0, math.cos(about_x), -math.sin(about_x)], [0, math.sin(about_x), math.cos(about_x)]])
    turn = np.array([[math.cos(about_y), 0, math.sin(about_y)], [0, 1, 0], [-math.sin(about_y), 0, math.cos(about_y)]])
    spin = np.array([[math.cos(about_z), -math.sin(about_z), 0], [math.sin(about_z), math.cos(about_z), 0], [0, 0, 1]])
    rotation = lean @ turn @ spin
    # A point (x, y, 0) of the plane, after rotation and a step of focal/zoom along the axis, projected with focal.
    onto = np.column_stack([rotation[:, 0], rotation[:, 1], [0, 0, focal / view.zoom]])
    lens = np.array([[focal, 0, size[0] / 2 + view.across], [0, focal, size[1] / 2 + view.down], [0, 0, 1]])
    centre = np.array([[1, 0, -plane[0] / 2], [0, 1, -plane[1] / 2], [0, 0, 1]])
    return np.asarray(lens @ onto @ centre, np.float64)


def perspective(image: Image, homography: NDArray[np.float64], size: tuple[int, int]) -> Image:
    """The plane ``image`` seen through ``homography`` as a picture of ``size`` (width, height); its edges are mirrored."""
    seen = cv2.warpPerspective(image, homography, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(seen, np.uint8)


def glare(image: Image, strength: float, seed: int) -> Image:
    """A lamp mirrored in the surface: a soft white spot somewhere in the picture. At 1 its middle is burnt out."""
    if strength <= 0:
        return image
    rng = np.random.default_rng(seed)
    height, width = image.shape[:2]
    across, down = rng.uniform(0.2, 0.8), rng.uniform(0.15, 0.75)
    wide, high = rng.uniform(0.08, 0.2), rng.uniform(0.05, 0.14)
    x, y = np.meshgrid(np.linspace(0, 1, 80), np.linspace(0, 1, 60))
    spot = 255 * strength * np.exp(-(((x - across) / wide) ** 2) - ((y - down) / high) ** 2)
    light = cv2.resize(spot.clip(0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(image, light if image.ndim == 2 else cv2.merge([light] * 3)), np.uint8)


def moire(image: Image, depth: float, seed: int) -> Image:
    """The grid of a screen beats against that of the sensor: stripes and colours a few pixels wide. At 1 they reach black."""
    if depth <= 0:
        return image
    rng = np.random.default_rng(seed)
    height, width = image.shape[:2]
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    channels = []
    for _ in range(1 if image.ndim == 2 else 3):
        # Each colour of a screen stands beside the others, so that its stripes are a little apart from theirs.
        period, angle, phase = rng.uniform(3, 8), rng.uniform(0, math.pi), rng.uniform(0, 2 * math.pi)
        across, down = 2 * math.pi * math.cos(angle) / period, 2 * math.pi * math.sin(angle) / period
        # cos(a + b) from its parts, so that only rows and columns need a cosine.
        wave = np.cos(across * x + phase) * np.cos(down * y) - np.sin(across * x + phase) * np.sin(down * y)
        channels.append((255 - 127.5 * min(depth, 1.0) * (1 + wave)).astype(np.uint8))
    grid = channels[0] if image.ndim == 2 else cv2.merge(channels)
    return np.asarray(cv2.multiply(image, grid, scale=1 / 255), np.uint8)


def occlusion(image: Image, share: float, seed: int) -> Image:
    """A thumb reaches in from an edge and covers about ``share`` of the middle of the picture."""
    if share <= 0:
        return image
    rng = np.random.default_rng(seed)
    height, width = image.shape[:2]
    angle = rng.uniform(0, 2 * math.pi)
    thick = math.sqrt(min(share, 1.0)) * min(height, width) * 0.55
    tip = width / 2 + 0.16 * width * math.cos(angle), height / 2 + 0.16 * height * math.sin(angle)
    root = width / 2 + width * math.cos(angle), height / 2 + height * math.sin(angle)
    covered = image.copy()
    colour = (96.0, 128.0, 196.0) if image.ndim == 3 else (150.0,)
    ends = [(round(x), round(y)) for x, y in (tip, root)]
    cv2.line(covered, ends[0], ends[1], colour, max(1, round(thick)), cv2.LINE_AA)
    return np.asarray(covered, np.uint8)


def mirrored(image: Image) -> Image:
    """As webcams show people themselves: left and right changed."""
    return np.ascontiguousarray(image[:, ::-1])


def motion_blur(image: Image, pixels: float, seed: int) -> Image:
    """The hand moved ``pixels`` far in some direction while the shutter was open."""
    if pixels <= 0:
        return image
    angle = np.random.default_rng(seed).uniform(0, math.pi)
    across, down = pixels * math.cos(angle) / 2, pixels * math.sin(angle) / 2
    middle = math.ceil(pixels / 2) + 1
    kernel = np.zeros((2 * middle + 1, 2 * middle + 1), np.float32)
    # The path in 1/16 pixel steps, each split between its four neighbours, so that 1.3 pixels differ from 1.4.
    steps = np.linspace(-1, 1, max(2, math.ceil(16 * pixels)))
    for x, y in zip(middle + across * steps, middle + down * steps, strict=True):
        left, top = int(x), int(y)
        right_share, low_share = x - left, y - top
        kernel[top, left] += (1 - right_share) * (1 - low_share)
        kernel[top, left + 1] += right_share * (1 - low_share)
        kernel[top + 1, left] += (1 - right_share) * low_share
        kernel[top + 1, left + 1] += right_share * low_share
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.uint8)


def rolling_shutter(image: Image, pixels: float) -> Image:
    """The camera moved while the rows were read one after the other: the last row stands ``pixels`` beside the first."""
    if pixels == 0:
        return image
    height, width = image.shape[:2]
    shear = np.array([[1, pixels / height, -pixels / 2], [0, 1, 0]], np.float64)
    leaning = cv2.warpAffine(image, shear, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(leaning, np.uint8)


def lens_blur(image: Image, sigma: float) -> Image:
    """Out of focus by a Gaussian of ``sigma`` pixels."""
    if sigma <= 0:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.uint8)


def vignette(image: Image, strength: float) -> Image:
    """The lens passes less light at the corners: at 1 they are black."""
    if strength <= 0:
        return image
    return np.asarray(cv2.multiply(image, _vignette_map(image.shape, strength), scale=1 / 255), np.uint8)


@functools.lru_cache(maxsize=4)
def _vignette_map(shape: tuple[int, ...], strength: float) -> Image:
    x, y = np.meshgrid(np.linspace(-1, 1, shape[1]), np.linspace(-1, 1, shape[0]))
    light = (255 * (1 - strength * (x * x + y * y) / 2)).clip(0, 255).astype(np.uint8)
    return light if len(shape) == 2 else np.ascontiguousarray(np.repeat(light[:, :, None], shape[2], axis=2))


def exposure(image: Image, brightness: float, contrast: float = 1.0) -> Image:
    """``brightness`` scales the light (0.1 is a dark hall), ``contrast`` pulls towards middle gray; 1 and 1 change nothing."""
    if brightness == 1 and contrast == 1:
        return image
    levels = np.arange(256.0) * brightness
    levels = (levels - 128 * brightness) * contrast + 128 * brightness
    return np.asarray(cv2.LUT(image, levels.round().clip(0, 255).astype(np.uint8)), np.uint8)


def flicker(image: Image, depth: float, seed: int) -> Image:
    """A lamp on alternating current under a rolling shutter: dark bands across the picture. At 1 they reach black."""
    if depth <= 0:
        return image
    rng = np.random.default_rng(seed)
    bands, phase = rng.uniform(1.5, 4), rng.uniform(0, 2 * math.pi)
    wave = np.cos(np.linspace(phase, phase + 2 * math.pi * bands, image.shape[0]))
    light = (255 - 127.5 * min(depth, 1.0) * (1 + wave)).astype(np.uint8)[:, None]
    if image.ndim == 3:
        light = light[:, :, None]
    return np.asarray(cv2.multiply(image, np.broadcast_to(light, image.shape).copy(), scale=1 / 255), np.uint8)


def exposure_drift(strength: float, seconds: float, seed: int) -> float:
    """The brightness after ``seconds`` of a camera that hunts for the right one: at 1 between about half and double."""
    if strength <= 0:
        return 1.0
    slow, quick = np.random.default_rng(seed).uniform(0, 2 * math.pi, 2)
    return float(2 ** (strength * (0.7 * math.sin(0.9 * seconds + slow) + 0.3 * math.sin(2.3 * seconds + quick))))


def sensor_noise(image: Image, sigma: float, seed: int) -> Image:
    """Gaussian noise of ``sigma`` gray levels in each channel, cut from a bank that is drawn once per frame size."""
    if sigma <= 0:
        return image
    height, width = image.shape[:2]
    down, left = np.random.default_rng(seed).integers(0, _NOISE_MARGIN, 2)
    noise = _noise_bank(image.shape)[down : down + height, left : left + width]
    noisy = cv2.addWeighted(image, 1.0, noise, sigma / _NOISE_UNITS, 0.0, dtype=cv2.CV_8U)
    return np.asarray(noisy, np.uint8)


@functools.lru_cache(maxsize=2)
def _noise_bank(shape: tuple[int, ...]) -> NDArray[np.int8]:
    """Standard normal noise in units of 1/32, a margin larger than a frame so that each frame cuts its own piece."""
    drawn = np.random.default_rng(20260101).standard_normal(
        (shape[0] + _NOISE_MARGIN, shape[1] + _NOISE_MARGIN, *shape[2:]), dtype=np.float32
    )
    return (drawn * _NOISE_UNITS).round().clip(-127, 127).astype(np.int8)


def jpeg(image: Image, quality: int) -> Image:
    """What is left after the camera compressed the picture: ``quality`` 1 to 100; 0 leaves it alone."""
    if quality <= 0:
        return image
    _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED), np.uint8)
