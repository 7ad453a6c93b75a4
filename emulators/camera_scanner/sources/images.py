"""Frames from picture files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from emulators.camera_scanner.frames import Frame, ImageError, UnreadableFile, require_image
from emulators.camera_scanner.sources.files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from emulators.camera_scanner.frames import Image

_LARGEST_FILE = 256 * 1024 * 1024


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
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        return require_image(image)
    except (cv2.error, ImageError) as error:
        raise UnreadableFile(f"{path} holds no picture that can be read") from error
