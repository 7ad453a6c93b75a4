"""Pictures of what was on the desk: evidence of the test, and side by side on one sheet."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from authrig.evidence.recorder import Picture, Recorder
from emulators.camera_scanner.frames import Image
from emulators.camera_scanner.outline import encode_png

_CELL = (400, 300)
_TITLE = 26
_GAP = 8


class Album:
    """Hands pictures to ``evidence``, and remembers those that go on the sheet."""

    def __init__(self, evidence: Recorder) -> None:
        self._evidence = evidence
        self._pictures: list[tuple[str, Image]] = []

    def add(self, caption: str, picture: Image | bytes) -> None:
        """A picture, as pixels or as a PNG."""
        png = picture if isinstance(picture, bytes) else encode_png(picture)
        self._evidence.exhibit(Picture(caption, png))
        colour = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
        assert colour is not None
        self._pictures.append((caption, np.asarray(colour, np.uint8)))

    def write_sheet(self, file: Path, columns: int = 4) -> None:
        """All of them, each under its caption, in the order in which they were taken."""
        (width, height), rows = _CELL, math.ceil(len(self._pictures) / columns)
        high, wide = height + _TITLE + _GAP, width + _GAP
        sheet = np.full((rows * high + _GAP, columns * wide + _GAP, 3), 245, np.uint8)
        for number, (caption, picture) in enumerate(self._pictures):
            row, column = divmod(number, columns)
            left, top = _GAP + column * wide, _GAP + row * high
            words = f"{number + 1}  {caption}"
            cv2.putText(sheet, words, (left, top + 18), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (40, 30, 20), 1, cv2.LINE_AA)
            small = _fitted(picture)
            sheet[top + _TITLE : top + _TITLE + small.shape[0], left : left + small.shape[1]] = small
        file.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(file), sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _fitted(picture: Image) -> Image:
    """As large as it goes; of one that is wider than a cell, the middle, where a browser has its page."""
    width = min(picture.shape[1], round(picture.shape[0] * _CELL[0] / _CELL[1]))
    left = (picture.shape[1] - width) // 2
    return np.asarray(cv2.resize(picture[:, left : left + width], _CELL, interpolation=cv2.INTER_AREA), np.uint8)
