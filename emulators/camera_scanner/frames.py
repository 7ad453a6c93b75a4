"""A frame, what frames come from, and the ways in which a source ends. Imports neither numpy nor OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

Image: TypeAlias = "NDArray[np.uint8]"
"""Pixels of 8 bits: shape (height, width) is gray, (height, width, 3) is blue, green, red."""

Corners: TypeAlias = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""Top left, top right, bottom right and bottom left of a symbol (as it was printed), as (x, y) in pixels of a picture."""

MAX_PIXELS = 64_000_000
"""The largest picture that is looked at; beyond it a picture is an accident or an attack, not a camera."""


class ImageError(ValueError):
    """Something that is not a picture: wrong type, shape or size. The sentence names what was expected and found."""


def require_image(image: object) -> Image:
    """The same object, if it is a picture that every part of the scanner can work on.

    Raises:
        ImageError: for anything but a uint8 array of shape (height, width) or (height, width, 3), with at least one
            and at most ``MAX_PIXELS`` pixels.
    """
    import numpy as np  # noqa: PLC0415 - lazy: this module is imported where no picture is ever made

    if not isinstance(image, np.ndarray):
        raise ImageError(f"a picture is a numpy array, found {type(image).__name__}")
    if image.dtype != np.uint8:
        raise ImageError(f"a picture has pixels of type uint8, found {image.dtype}")
    if image.ndim != 2 and not (image.ndim == 3 and image.shape[2] == 3):
        raise ImageError(f"a picture has shape (height, width) or (height, width, 3), found {image.shape}")
    pixels = image.shape[0] * image.shape[1]
    if not 0 < pixels <= MAX_PIXELS:
        raise ImageError(f"a picture has 1 to {MAX_PIXELS} pixels, found {image.shape[1]}x{image.shape[0]}")
    return image


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture and when it was taken."""

    image: Image
    time: float
    """Seconds since a moment of the source's choice; never steps back within one source."""
    source: str
    """The name of the source, for people."""


class FrameSource(Protocol):
    """Anything that delivers frames."""

    @property
    def name(self) -> str:
        """What people call it: a file name, a camera."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Frames until the source ends.

        Raises:
            SourceError: when the source cannot deliver, by the subclass that names the condition.
        """
        ...

    def close(self) -> None:
        """Let go of files and devices. Closing twice is allowed."""
        ...


class SourceError(Exception):
    """A source of frames cannot deliver; ``str()`` is one sentence for people."""


class UnreadableFile(SourceError):  # noqa: N818 - a condition in which a source ends, not a program's mistake
    """There is no such file, it may not be read, or it holds no picture in a format that is known."""


class EmptyVideo(SourceError):  # noqa: N818 - as UnreadableFile
    """A video file without a single picture."""


class TruncatedVideo(SourceError):  # noqa: N818 - as UnreadableFile
    """A video file that ends before the pictures that its header promises."""


class NoSuchCamera(SourceError):  # noqa: N818 - as UnreadableFile
    """No camera has this index, or somebody else has it open."""


class CameraStopped(SourceError):  # noqa: N818 - as UnreadableFile
    """A camera that had been opened delivers no more pictures."""


class CameraRefused(SourceError):  # noqa: N818 - as UnreadableFile
    """A camera that is there does not do what was asked of it: no such size, no focus that can be set."""


class CameraFroze(SourceError):  # noqa: N818 - as UnreadableFile
    """A source delivers the same picture to the last bit, for longer than a sensor could."""


class CameraWentBlack(SourceError):  # noqa: N818 - as UnreadableFile
    """A source delivers nothing but black pictures: its lens is covered, or its picture is lost."""


class NoScreen(SourceError):  # noqa: N818 - as UnreadableFile
    """There is no screen to look at, or no such region of it."""


class NothingToSee(SourceError):  # noqa: N818 - as UnreadableFile
    """A synthetic camera was asked for frames before it was shown a picture."""
