"""What the rig does to a QR token: show it a picture, press its buttons, read its screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from authrig.errors import Deviation
from authrig.evidence.recorder import Exhibit, Picture
from emulators.camera_scanner.decoders import read_codes
from emulators.camera_scanner.outline import encode_png, outline
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.hwtoken.display import picture as picture_of_screen
from emulators.hwtoken.screens import Code, Review, Scanning, Screen
from emulators.hwtoken.token import Button, QrToken

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image

FRAMES_TO_TRY = 60
"""Two seconds at 30 frames a second: a hand holds a token no longer before it moves."""
PAGES_TO_TURN = 64


class EmulatedQrToken:
    """An emulated token in an emulated hand: its camera sees what a real lens would.

    Every new screen is handed to ``on_exhibit`` as a picture, and so is the frame in which the token found a code.
    """

    def __init__(self, token: QrToken, camera: SyntheticCamera, on_exhibit: Callable[[Exhibit], None]) -> None:
        self._token = token
        self._camera = camera
        self._on_exhibit = on_exhibit

    @property
    def screen(self) -> Screen:
        """What the token shows now."""
        return self._token.screen

    def scan(self, picture: Image) -> Screen:
        """Hold ``picture`` before the token until it has found a code; returns the screen that it then shows.

        Raises:
            Deviation: if it found none in two seconds.
        """
        if not isinstance(self.screen, Scanning):
            # Not by pressing OK until it scans: that might confirm what is on the screen.
            self._token.power_off()
            self._token.power_on()
            self.press(Button.OK)
        self._camera.show(picture)
        for frame in islice(self._camera.frames(), FRAMES_TO_TRY):
            self._token.see(frame)
            screen = self.screen
            if not isinstance(screen, Scanning):
                seen = outline(frame.image, read_codes(frame.image))
                self._on_exhibit(Picture("what the token's camera saw, with the code it found", encode_png(seen)))
                self._exhibit_screen()
                return screen
        raise Deviation(f"the token's camera, {self._camera.name}", "a code", f"none in {FRAMES_TO_TRY} frames")

    def press(self, *buttons: Button) -> Screen:
        """Press ``buttons`` one after the other; returns the screen after the last."""
        for button in buttons:
            self._token.press(button)
            self._exhibit_screen()
        return self._token.screen

    def read_review(self) -> Sequence[str]:
        """Read the review from its first page to its last, turning pages; returns the lines, in order.

        The last page is left on the screen, so one more OK shows the code.

        Raises:
            Deviation: if the token shows no review.
        """
        lines: list[str] = []
        for _ in range(PAGES_TO_TURN):
            screen = self.screen
            if not isinstance(screen, Review):
                break
            lines += [line.text for line in screen.lines]
            if screen.is_last:
                return lines
            self.press(Button.OK)
        raise Deviation("the token's screen", "a review that ends", str(self._token.screen))

    def read_code(self) -> str:
        """The digits on the screen.

        Raises:
            Deviation: if the token shows no code.
        """
        if not isinstance(self._token.screen, Code):
            raise Deviation("the token's screen", "a code", str(self._token.screen))
        return self._token.screen.digits

    def _exhibit_screen(self) -> None:
        screen = self._token.screen
        png = encode_png(picture_of_screen(screen, self._token.profile))
        self._on_exhibit(Picture(f"the token: {type(screen).__name__.lower()}", png))
