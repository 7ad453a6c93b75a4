"""What the rig does to a scanner: hold something before it, and take what it read."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from authrig.errors import Deviation
from authrig.evidence.recorder import Exhibit, Picture
from emulators.camera_scanner.decoders import read_codes
from emulators.camera_scanner.outline import encode_png, outline
from emulators.camera_scanner.sources.synthetic import SyntheticCamera

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image

FRAMES_TO_TRY = 60


class EmulatedScanner:
    """A desk scanner with an emulated camera; the frame that it read is handed to ``on_exhibit``."""

    def __init__(self, camera: SyntheticCamera, on_exhibit: Callable[[Exhibit], None]) -> None:
        self._camera = camera
        self._on_exhibit = on_exhibit

    def scan(self, picture: Image) -> bytes:
        """The bytes of the one code on ``picture``, held before the camera.

        Raises:
            Deviation: if nothing was read in two seconds.
        """
        self._camera.show(picture)
        for frame in islice(self._camera.frames(), FRAMES_TO_TRY):
            reads = read_codes(frame.image)
            if reads:
                seen = encode_png(outline(frame.image, reads))
                self._on_exhibit(Picture(f"what the scanner saw; read by {reads[0].decoder} ({reads[0].stage})", seen))
                return reads[0].data
        raise Deviation(f"the scanner's camera, {self._camera.name}", "a code", f"none in {FRAMES_TO_TRY} frames")
