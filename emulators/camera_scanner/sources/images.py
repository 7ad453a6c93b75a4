"""Frames from picture files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from emulators.camera_scanner.frames import MAX_PIXELS, Frame, ImageError, UnreadableFile, require_image
from emulators.camera_scanner.sources.files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emulators.camera_scanner.frames import Image

_LARGEST_FILE = 256 * 1024 * 1024
_PNG = b"\x89PNG"
_MAY_BE_TRANSPARENT = (_PNG, b"RIFF", b"GIF8", b"II*\0", b"MM\0*")


class ImageFiles:
    """Picture files, one frame each, in the order given, one second apart."""

    def __init__(self, paths: Sequence[Path | str]) -> None:
        self._paths = [Path(path) for path in paths]
        self.name = ", ".join(str(path) for path in self._paths)

    def frames(self) -> Iterator[Frame]:
        """One frame for each file.

        Raises:
            UnreadableFile: at the first file that holds no picture; the frames before it have been delivered.
        """
        for number, path in enumerate(self._paths):
            yield Frame(load_image(path), float(number), str(path))

    def close(self) -> None:
        """Nothing stays open."""


def load_image(path: Path) -> Image:
    """The picture in the file at ``path``, in colour, turned upright as its camera noted.

    Raises:
        UnreadableFile: if there is no such file or it holds no picture of a known format and possible size.
    """
    data = read_file(path, _LARGEST_FILE + 1)
    if len(data) > _LARGEST_FILE:
        raise UnreadableFile(f"{path} is larger than {_LARGEST_FILE} bytes: too large for a picture")
    if data.startswith(_PNG):  # a small file may unpack to any size
        width, height = _size_of_png(data)
        if width * height > MAX_PIXELS:
            raise UnreadableFile(f"{path} is a picture of {width}x{height}: expected up to {MAX_PIXELS} pixels")
    try:
        packed = np.frombuffer(data, np.uint8)
        if data.startswith(_MAY_BE_TRANSPARENT):
            image = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
            if image is not None and image.ndim == 3 and image.shape[2] == 4:
                return require_image(_on_paper(_in_8_bits(image)))
        return require_image(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    except (cv2.error, ImageError) as error:
        raise UnreadableFile(f"{path} holds no picture that can be read") from error


def _size_of_png(data: bytes) -> tuple[int, int]:
    """Width and height that its header promises (ISO/IEC 15948, 11.2.2)."""
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def _in_8_bits(image: cv2.typing.MatLike) -> Image:
    """The same picture, where it has 16 bits a channel."""
    if image.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"a picture has pixels of 8 or 16 bits, found {image.dtype}")
    return np.asarray(image if image.dtype == np.uint8 else np.asarray(image, np.uint16) >> 8, np.uint8)


def _on_paper(image: Image) -> Image:
    """A picture with transparency laid on white; on black, if what can be seen of it is white itself."""
    colour, opaque = image[:, :, :3], image[:, :, 3:].astype(np.float32) / 255
    weight = float(opaque.sum())
    bright = weight > 0 and float((colour * opaque).sum()) / (3 * weight) > 127
    # A code in white alone has nothing dark beside it, but one with its own paper around it is opaque nearly everywhere.
    ground = 0 if bright and weight < 0.75 * opaque.size else 255
    return np.asarray(colour * opaque + ground * (1 - opaque), np.uint8)
