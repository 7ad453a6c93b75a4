"""The emulated end of a token's port: a token in an emulated hand, whose camera sees what a real lens would."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from authrig.evidence.recorder import Exhibit, Picture
from authrig.ports.token_parts import Shown, code_in
from emulators.camera_scanner.decoders import read_codes
from emulators.camera_scanner.outline import encode_png, outline
from emulators.hwtoken.display import picture as picture_of_screen
from emulators.hwtoken.readout import read_keys, read_text
from emulators.hwtoken.screens import Code, Scanning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emulators.camera_scanner.frames import Image
    from emulators.camera_scanner.sources.synthetic import SyntheticCamera
    from emulators.hwtoken.keys import Button
    from emulators.hwtoken.token import QrToken

FRAMES_TO_TRY = 60
"""Two seconds at 30 frames a second: a hand holds a token no longer before it moves."""


class EmulatedToken:
    """All parts of the port in one. The frame in which the token found a code is handed to ``on_exhibit``."""

    tells_state = True

    def __init__(self, token: QrToken, camera: SyntheticCamera, on_exhibit: Callable[[Exhibit], None]) -> None:
        self._token = token
        self._camera = camera
        self._on_exhibit = on_exhibit
        self._picture_is_there = False

    @contextmanager
    def showing(self, picture: Image) -> Iterator[None]:
        """Within it the camera looks at ``picture``."""
        self._camera.show(picture)
        self._picture_is_there = True
        yield
        self._picture_is_there = False

    def press(self, button: Button) -> None:
        """Press and release one of its keys."""
        self._token.press(button)

    def looks(self) -> Iterator[Shown]:
        """Its screen; while it scans, after each frame that its camera saw."""
        frames = islice(self._camera.frames(), FRAMES_TO_TRY) if self._picture_is_there else iter(())
        yield self._shown()
        for frame in frames:
            self._token.see(frame)
            if not isinstance(self._token.screen, Scanning):
                seen = outline(frame.image, read_codes(frame.image))
                self._on_exhibit(Picture("what the token's camera saw, with the code it found", encode_png(seen)))
                yield self._shown()
                return

    def power_on(self) -> None:
        """Switch it on."""
        self._token.power_on()

    def power_off(self) -> None:
        """Switch it off."""
        self._token.power_off()

    def _shown(self) -> Shown:
        screen, profile = self._token.screen, self._token.profile
        lines = read_text(screen, profile)
        png = encode_png(picture_of_screen(screen, profile))
        code = code_in(lines) if isinstance(screen, Code) else None
        return Shown(screen.state.name.lower(), lines, read_keys(screen)[1], code, png)
