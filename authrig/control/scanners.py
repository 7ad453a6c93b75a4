"""Emulated scanners and cameras of the bench."""

from __future__ import annotations

import threading
import time
from itertools import islice
from typing import TYPE_CHECKING, Any

from authrig.control.device import Device, NothingToShowError
from authrig.errors import RigError
from emulators.camera_scanner.decoders import read_codes
from emulators.camera_scanner.outline import encode_png, outline
from emulators.camera_scanner.report import describe, printable
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import SeededRandom

if TYPE_CHECKING:
    from authrig.control.happenings import Happenings
    from emulators.camera_scanner.frames import Image

FRAMES_TO_TRY = 60
"""Two seconds at 30 frames a second."""
LONGEST_SECONDS = 5.0
"""For as many frames as that, on a machine that is slow or busy."""


class EmulatedScanner(Device):
    """A scanner with an emulated camera: it reads what is held before it, once.

    Args:
        name: what the rig file calls it.
        preset: what its lens, light and hand are like.
        seed: of its camera.
        happenings: gets what it read.

    Raises:
        RigError: if there is no such preset.
    """

    def __init__(self, name: str, preset: str, seed: int | None, happenings: Happenings) -> None:
        super().__init__(name, "scanner", frozenset({"picture", "screen"}), happenings, emulated=True)
        self._camera = _camera(name, preset, seed)
        self._preset = preset
        self._lock = threading.Lock()
        self._read: str | None = None
        self._view = b""

    def state(self) -> dict[str, Any]:
        """What it read last."""
        return {"read": self._read, "preset": self._preset, "view": bool(self._view)}

    def picture(self, image: Image | None) -> str | None:
        """Look at ``image`` for as long as one would hold it there."""
        with self._lock:
            self._read = None
            if image is None:
                self._view = b""
                self._happened("picture", "taken away")
                return None
            self._camera.show(image)
            self._happened("picture", "before it")
            until = time.monotonic() + LONGEST_SECONDS
            for frame in islice(self._camera.frames(), FRAMES_TO_TRY):
                reads = read_codes(frame.image)
                if reads:
                    self._view = encode_png(outline(frame.image, reads))
                    self._read = printable(reads[0].data)
                    self._happened("read", f"{self._read}  ({describe(reads[0])})")
                    return self._read
                if time.monotonic() > until:
                    break
            self._view = encode_png(frame.image)
            self._happened("read", "nothing in the time that one would wait")
            return None

    def screen(self, *, dots: bool = False) -> bytes:
        """The frame in which it read, with the code outlined."""
        del dots
        if not self._view:
            raise NothingToShowError(f"{self.name}: it has seen nothing yet")
        return self._view


class EmulatedCamera(Device):
    """A camera: each look at it is another frame.

    Raises:
        RigError: if there is no such preset.
    """

    def __init__(self, name: str, preset: str, seed: int | None, happenings: Happenings) -> None:
        super().__init__(name, "camera", frozenset({"picture", "screen"}), happenings, emulated=True)
        self._camera = _camera(name, preset, seed)
        self._preset = preset
        self._lock = threading.Lock()
        self._has_picture = False

    def state(self) -> dict[str, Any]:
        """Whether there is something before it."""
        return {"preset": self._preset, "view": self._has_picture}

    def picture(self, image: Image | None) -> None:
        """Hold it there until it is taken away."""
        with self._lock:
            if image is not None:
                self._camera.show(image)
            self._has_picture = image is not None
        self._happened("picture", "before it" if image is not None else "taken away")

    def screen(self, *, dots: bool = False) -> bytes:
        """The next frame."""
        del dots
        with self._lock:
            if not self._has_picture:
                raise NothingToShowError(f"{self.name}: nothing is before it")
            return encode_png(next(self._camera.frames()).image)


def _camera(name: str, preset: str, seed: int | None) -> SyntheticCamera:
    try:
        return SyntheticCamera(SeededRandom(seed if seed is not None else name).fork(f"{name} camera"), preset)
    except ValueError as error:
        raise RigError(str(error)) from error
