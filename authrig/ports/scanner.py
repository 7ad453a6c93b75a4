"""What the rig does to a scanner: hold something before it, and take what it read.

Its ends are a camera of any kind, emulated or attached, and a barcode reader on a serial line.
"""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final, Protocol

from authrig.errors import Deviation, RigError
from authrig.evidence.recorder import Event, Exhibit, Picture
from authrig.ports.watching import for_seconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from authrig.ports.token_parts import ShowsPictures
    from emulators.camera_scanner.barcode_readers.drivers.port import BarcodeReader
    from emulators.camera_scanner.frames import FrameSource, Image
    from emulators.camera_scanner.sources.synthetic import SyntheticCamera

SECONDS_TO_LOOK = 2.0
"""For a camera, by its frames."""
FEWEST_LOOKS = 6
"""However slow the camera is."""
SECONDS_TO_TRY = 5.0
"""For a reader that looks by itself."""


OUR_DECODERS: Final = frozenset({"utf-8", "binary"})
"""What a camera can read with our decoders behind it."""


class ReadsCodes(Protocol):
    """Looks for a code."""

    @property
    def name(self) -> str:
        """For sentences."""
        ...

    def read(self) -> bytes | None:
        """The bytes of the code that is before it; None if none was read in the time that one would wait.

        Raises:
            RigError: if it fails.
        """
        ...


class CameraReader:
    """A camera with our decoders behind it; the frame that was read is handed to ``on_exhibit``."""

    def __init__(self, source: FrameSource, on_exhibit: Callable[[Exhibit], None]) -> None:
        self._source = source
        self._on_exhibit = on_exhibit
        self.name = f"the scanner's camera, {source.name}"

    def read(self) -> bytes | None:
        """The first code in a frame."""
        from emulators.camera_scanner.decoders import read_codes  # noqa: PLC0415 - slow to import
        from emulators.camera_scanner.frames import SourceError  # noqa: PLC0415 - as above
        from emulators.camera_scanner.outline import encode_png, outline  # noqa: PLC0415 - as above

        try:
            for frame in for_seconds(self._source.frames(), SECONDS_TO_LOOK, FEWEST_LOOKS):
                reads = read_codes(frame.image)
                if reads:
                    seen = encode_png(outline(frame.image, reads, timed=False))
                    caption = f"what the scanner saw; read by {reads[0].decoder} ({reads[0].stage})"
                    self._on_exhibit(Picture(caption, seen))
                    return reads[0].data
        except SourceError as error:
            raise RigError(f"{self.name}: {error}") from error
        return None


class SerialReader:
    """A barcode reader on a serial line, triggered by its driver."""

    def __init__(self, reader: BarcodeReader, name: str) -> None:
        self._reader = reader
        self.name = name

    def read(self) -> bytes | None:
        """What it read after a trigger."""
        from emulators.camera_scanner.barcode_readers.drivers.port import ReaderError  # noqa: PLC0415 - with its package

        try:
            self._reader.trigger()
            return self._reader.read(SECONDS_TO_TRY)
        except ReaderError as error:
            raise RigError(f"{self.name}: {error}") from error


class SyntheticView:
    """Holds pictures before an emulated camera."""

    def __init__(self, camera: SyntheticCamera) -> None:
        self._camera = camera

    def showing(self, picture: Image) -> AbstractContextManager[None]:
        """Within it the camera looks at ``picture``."""
        self._camera.show(picture)
        return nullcontext()


class Scanner:
    """A scanner with somebody who holds things before it; ``on_exhibit`` gets an event for each read."""

    def __init__(
        self,
        shows: ShowsPictures,
        reader: ReadsCodes,
        on_exhibit: Callable[[Exhibit], None] = lambda _: None,
        can: frozenset[str] = frozenset(),
    ) -> None:
        self._shows = shows
        self._reader = reader
        self._on_exhibit = on_exhibit
        self._can = can

    def capabilities(self) -> frozenset[str]:
        """What it reads beside usual QR codes: ``utf-8``, ``binary``, ``micro-qr``, or what the rig file says."""
        return self._can

    def scan(self, picture: Image) -> bytes:
        """The bytes of the one code on ``picture``, held before the scanner.

        Raises:
            Deviation: if nothing was read in the time that one would wait.
            RigError: if a part of the port fails.
        """
        data = self.try_to_scan(picture)
        if data is None:
            raise Deviation(self._reader.name, "a code", "none in the time that one would wait")
        return data

    def try_to_scan(self, picture: Image) -> bytes | None:
        """As ``scan``; None if nothing was read, which may be right.

        Raises:
            RigError: if a part of the port fails.
        """
        shown = {"sha256": hashlib.sha256(picture.tobytes()).hexdigest(), "size": list(picture.shape[1::-1])}
        self._on_exhibit(Event("picture", "scanner", "to_device", b"", shown))
        with self._shows.showing(picture):
            data = self._reader.read()
        self._on_exhibit(Event("scan", "scanner", "from_device", data or b"", {"read": data is not None}))
        return data
