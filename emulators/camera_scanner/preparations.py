"""What is done to a gray picture before a reader that found nothing in it looks once more.

The choice and the order come from measurement on pictures of ``corpus`` with numbers from 5,000 on, never on those that are
reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from emulators.camera_scanner.frames import Image


@dataclass(frozen=True, slots=True)
class Preparation:
    """A picture made easier to read."""

    stage: str
    """The name by which a read tells that it needed this."""
    prepare: Callable[[Image], Image]
    scale: float = 1.0
    """How many pixels of the original are one pixel of what ``prepare`` returns, along a side."""


def to_gray(image: Image) -> Image:
    """Luminance, shape (height, width)."""
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def shrink(gray: Image, longest: int) -> tuple[Image, float]:
    """The picture with no side longer than ``longest`` pixels, and how many old pixels one new pixel is."""
    scale = max(1.0, max(gray.shape) / longest)
    if scale == 1.0:
        return gray, scale
    size = (max(1, round(gray.shape[1] / scale)), max(1, round(gray.shape[0] / scale)))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def half(gray: Image) -> Image:
    """Half the size: averages noise and moire away."""
    size = (max(1, gray.shape[1] // 2), max(1, gray.shape[0] // 2))
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def double(gray: Image) -> Image:
    """Twice the size: for modules of hardly more than a pixel."""
    size = (gray.shape[1] * 2, gray.shape[0] * 2)
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def adaptive_threshold(gray: Image) -> Image:
    """Black and white, each pixel, with its neighbours, judged by the 25 pixels around it: for shadows, noise and moire."""
    method, kind = cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY
    # Without the 3, even surfaces become speckles that a reader spends twice its time on.
    return np.asarray(cv2.adaptiveThreshold(cv2.blur(gray, (3, 3)), 255, method, kind, 25, 3), np.uint8)


def normalise(gray: Image) -> Image:
    """Stretched so that the darkest pixel is black and the brightest white."""
    low, high, _, _ = cv2.minMaxLoc(gray)
    return np.asarray(
        cv2.convertScaleAbs(gray, alpha=255 / max(1.0, high - low), beta=-255 * low / max(1.0, high - low)), np.uint8
    )


def stretched_sum(pictures: Iterable[Image]) -> Image:
    """Gray pictures of one size added up, and stretched to all levels: in the dark, more levels than any of them has."""
    total = np.sum([picture.astype(np.uint16) for picture in pictures], axis=0, dtype=np.uint16)
    low, high = (int(level) for level in (total.min(), total.max()))
    return np.asarray((total - low).astype(np.float32) * (255 / max(1, high - low)), np.uint8)


def contrast(gray: Image) -> float:
    """The difference between the brightest and the darkest pixel, in gray levels."""
    low, high, _, _ = cv2.minMaxLoc(gray)
    return high - low


def sharpen(gray: Image) -> Image:
    """A small blur against noise, then edges exaggerated against the lens."""
    smooth = cv2.GaussianBlur(gray, (5, 5), 1)
    # A box as wide as a Gaussian of three pixels, at a fraction of its cost.
    return np.asarray(cv2.addWeighted(smooth, 5, cv2.blur(smooth, (11, 11)), -4, 0), np.uint8)


def sharpen_wide(gray: Image) -> Image:
    """The same for larger modules and stronger noise."""
    smooth = cv2.GaussianBlur(gray, (0, 0), 1.5)
    return np.asarray(cv2.addWeighted(smooth, 6, cv2.blur(smooth, (21, 21)), -5, 0), np.uint8)


_UNBLUR_MARGIN = 24
_UNBLUR_NOISE = 0.001
"""How much of a picture's contrast is taken for noise: with less the noise is blown up, with more the blur stays."""


def unblur(gray: Image, sigma: float) -> Image:
    """The blur of a lens undone (Wiener), for one whose Gaussian has a standard deviation of ``sigma`` pixels."""
    rows, columns = (cv2.getOptimalDFTSize(side + 2 * _UNBLUR_MARGIN) for side in gray.shape)
    below, right = (whole - side - _UNBLUR_MARGIN for whole, side in zip((rows, columns), gray.shape, strict=True))
    padded = cv2.copyMakeBorder(gray, _UNBLUR_MARGIN, below, _UNBLUR_MARGIN, right, cv2.BORDER_REPLICATE)
    seen = cv2.dft(padded.astype(np.float32), flags=cv2.DFT_COMPLEX_OUTPUT)
    down, across = np.fft.fftfreq(rows).astype(np.float32), np.fft.fftfreq(columns).astype(np.float32)
    lens = np.exp(np.float32(-2 * (np.pi * sigma) ** 2) * (down[:, None] ** 2 + across[None, :] ** 2))
    undone = seen * (lens / (lens * lens + np.float32(_UNBLUR_NOISE)))[:, :, None]
    sharp = cv2.dft(undone, flags=cv2.DFT_INVERSE | cv2.DFT_REAL_OUTPUT | cv2.DFT_SCALE)
    inner = sharp[_UNBLUR_MARGIN : _UNBLUR_MARGIN + gray.shape[0], _UNBLUR_MARGIN : _UNBLUR_MARGIN + gray.shape[1]]
    return np.asarray(inner.clip(0, 255), np.uint8)


_SMALL_PIXELS = 400
_NARROW, _WIDE = 96, 200
_NORMALISE = Preparation("normalise", normalise)
_ALWAYS = (
    Preparation("half-size", half, 2.0),
    Preparation("adaptive-threshold", adaptive_threshold),
    Preparation("sharpen-wide", sharpen_wide),
)
_LAST = (Preparation("sharpen", sharpen),)
_BLURS = (3.0, 2.0, 4.5, 6.0)
THOROUGH = tuple(Preparation(f"unblur {sigma:g}", partial(unblur, sigma=sigma)) for sigma in _BLURS)
"""For pictures for which there is time: each strength costs more than a look.

Of 42 pictures out of focus that nothing else reads, these read 39, and the same lens undone by Van Cittert's steps 15. Glare was tried
the same way: saturated patches painted over or levelled, and darker exposures, read 0 to 3 of 56 more, and were not kept.
"""


def preparations(gray: Image) -> tuple[Preparation, ...]:
    """What to try on ``gray``, most reads per millisecond first.

    A dark picture is stretched first; one that uses nearly all gray levels is not stretched at all. A small picture is
    doubled.
    """
    spread = contrast(gray)
    first = (_NORMALISE,) if spread < _NARROW else ()
    doubled = (Preparation("double-size", double, 0.5),) if max(gray.shape) <= _SMALL_PIXELS else ()
    late = (_NORMALISE,) if _NARROW <= spread < _WIDE else ()
    return (*first, *doubled, *_ALWAYS, *late, *_LAST)
