"""Ends of a token's port that need no word of the device: relays on its keys, a camera on its display, a person."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from authrig.attached.relay import PRESS_MILLISECONDS
from authrig.errors import RigError
from authrig.ports.token_parts import Shown, code_in
from authrig.ports.watching import for_seconds
from emulators.hwtoken.keys import Button

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authrig.attached.person import Person
    from authrig.attached.relay import RelayChannel
    from emulators.camera_scanner.decoders import Corners
    from emulators.camera_scanner.display_reader import Panel
    from emulators.camera_scanner.frames import FrameSource, Image

SECONDS_TO_LOOK = 5.0
"""By the camera's frames: a device may take its time before it shows a code."""
FEWEST_LOOKS = 12
"""However slow the camera is."""
UPLOAD_SECONDS = 30.0
WHITE = 0xFF
HOLD_MILLISECONDS = 1300
"""Longer than the second from which on a press is a long one."""


class RelayKeys:
    """A relay or servo on each key."""

    def __init__(self, ok: RelayChannel, cancel: RelayChannel) -> None:
        self._channels = {Button.OK: ok, Button.CANCEL: cancel}

    def press(self, button: Button, *, held: bool = False) -> None:
        """Press it.

        Raises:
            RigError: if there is no relay on that key, or the board fails.
        """
        channel = self._channels.get(button)
        if channel is None:
            raise RigError(f"no relay presses the key {button.value}: the rig file names those for ok and cancel")
        channel.touch(HOLD_MILLISECONDS if held else PRESS_MILLISECONDS)


class PersonAtTheToken:
    """Somebody who holds the device, presses its keys and reads its display.

    Pictures are written to ``folder``, for the person to open on a screen.
    """

    tells_state = False

    def __init__(self, person: Person, name: str, folder: Path) -> None:
        self._person = person
        self._name = name
        self._folder = folder

    @contextmanager
    def showing(self, picture: Image) -> Iterator[None]:
        """Have the device held before a picture on a screen."""
        from emulators.camera_scanner.outline import encode_png  # noqa: PLC0415 - slow to import

        path = self._folder / f"{self._name}.png"
        path.write_bytes(encode_png(picture))
        self._person.have_done(f"open {path} and let {self._name} scan it")
        yield
        path.unlink()

    def press(self, button: Button, *, held: bool = False) -> None:
        """Have a key pressed."""
        how = "for more than a second" if held else ""
        self._person.have_done(f"press {button.value.upper()} on {self._name} {how}".rstrip())

    def looks(self) -> Iterator[Shown]:
        """Have the display read, once: a person looks until there is something to see."""
        answer = self._person.ask(f"type the code that {self._name} shows, or only Enter if it shows none")
        code = code_in((answer,))
        yield Shown("code" if code else None, None, None, code)


class CameraOnDisplay:
    """A camera that looks at the display and reads its digits; it cannot read words.

    Args:
        source: the camera.
        panel: the kind of display.
        corners: of its row of digits, in the frame.
    """

    tells_state = False

    def __init__(self, source: FrameSource, panel: Panel, corners: Corners) -> None:
        self._source = source
        self._panel = panel
        self._corners = corners

    def looks(self) -> Iterator[Shown]:
        """Frame after frame. A code is one only once frames in a row agree on it.

        Raises:
            RigError: if the camera delivers nothing.
        """
        from emulators.camera_scanner.display_reader import DisplayReader  # noqa: PLC0415 - slow to import
        from emulators.camera_scanner.frames import SourceError  # noqa: PLC0415 - as above
        from emulators.camera_scanner.outline import encode_png  # noqa: PLC0415 - as above

        reader, frames = DisplayReader(self._panel, self._corners), 0
        try:
            for frame in for_seconds(self._source.frames(), SECONDS_TO_LOOK, FEWEST_LOOKS):
                frames += 1
                sure = reader.see(frame.image)
                # A picture takes longer to pack than to read; whoever looks once wants the first.
                png = encode_png(frame.image) if sure or frames == 1 else None
                yield Shown("code" if sure else None, None, None, sure, png)
        except SourceError as error:
            raise RigError(f"the camera on the display: {error}") from error
        if not frames:
            raise RigError(f"the camera on the display, {self._source.name}, delivers no frames")


class PaperPicture:
    """An e-paper panel, or anything else that takes a PNG by HTTP PUT and shows it."""

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def showing(self, picture: Image) -> Iterator[None]:
        """Have it shown, and white paper afterwards: a device that looks again must not find what it has read.

        Raises:
            RigError: if the panel does not take it.
        """
        import numpy as np  # noqa: PLC0415 - slow to import

        self._put(picture)
        try:
            yield
        finally:
            self._put(np.full_like(picture, WHITE))

    def _put(self, picture: Image) -> None:
        from emulators.camera_scanner.outline import encode_png  # noqa: PLC0415 - slow to import

        try:
            response = httpx.put(
                self._url,
                content=encode_png(picture),
                headers={"Content-Type": "image/png"},
                timeout=UPLOAD_SECONDS,
                trust_env=False,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RigError(f"the e-paper panel at {self._url} does not take a picture: {error}") from error
        if not response.is_success:
            raise RigError(f"the e-paper panel at {self._url} answered with status {response.status_code}")
