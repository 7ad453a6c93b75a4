"""What the rig does to a QR token: show it a picture, press its buttons, read its screen.

A test never asks whether the token is emulated or attached, nor who reads its display.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from authrig.errors import Deviation
from authrig.evidence.recorder import Exhibit, Picture
from authrig.ports.token_parts import UNTOLD, Shown
from emulators.hwtoken.keys import Button

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authrig.attached.hands import Switch
    from authrig.ports.token_parts import PressesKeys, ReadsDisplay, ShowsPictures
    from emulators.camera_scanner.frames import Image

PAGES_TO_TURN: Final = 64
SCANNING, REVIEW, CODE = "scanning", "review", "code"
CONFIRM: Final = "Confirm"
"""The word above OK on the last page of a review."""


class QrToken:
    """A token with somebody who holds it. What it shows is handed to ``on_exhibit``, each screen once.

    Args:
        name: for sentences.
        shows: holds pictures before its camera.
        keys: presses its keys.
        display: reads its display.
        switch: takes its power away; that brings it to a known screen.
        on_exhibit: gets pictures of what it showed.
    """

    def __init__(  # noqa: PLR0913 - the parts of a port, each of which has several ends
        self,
        name: str,
        *,
        shows: ShowsPictures,
        keys: PressesKeys,
        display: ReadsDisplay,
        switch: Switch,
        on_exhibit: Callable[[Exhibit], None],
    ) -> None:
        self.name = name
        self._shows = shows
        self._keys = keys
        self._display = display
        self._switch = switch
        self._on_exhibit = on_exhibit
        self._last: bytes | None = None
        self._shown = ExitStack()

    def look(self) -> Shown:
        """What it shows now, as far as the display's end tells that.

        Raises:
            RigError: if the display cannot be read.
        """
        if not self._display.tells_state:
            return UNTOLD
        shown = next(iter(self._display.looks()))
        self._exhibit(shown)
        return shown

    def press(self, *buttons: Button) -> Shown:
        """Press ``buttons`` one after the other; returns what is shown after the last.

        Raises:
            RigError: if one cannot be pressed.
        """
        for button in buttons:
            self._keys.press(button)
            shown = self.look()
        return shown

    def scan(self, picture: Image) -> Shown:
        """Hold ``picture`` before the token until it has found a code; returns what it then shows.

        Where the display's end cannot tell what is on it, the picture stays there until the next one, or ``put_away``.

        Raises:
            Deviation: if the token found none.
            RigError: if a part of the port fails.
        """
        self.put_away()
        if self.look().state != SCANNING:
            # Not by pressing OK until it scans: that might confirm what is on the screen.
            self._switch.power_off()
            self._switch.power_on()
            self.press(Button.OK)
        self._shown.enter_context(self._shows.showing(picture))
        if not self._display.tells_state:
            return UNTOLD
        for shown in self._display.looks():
            if shown.state != SCANNING:
                self.put_away()
                self._exhibit(shown)
                return shown
        raise Deviation(f"the camera of {self.name}", "a code", "none in the time that one would wait")

    def put_away(self) -> None:
        """Take the picture away from the camera."""
        self._shown.close()

    def read_review(self) -> Sequence[str] | None:
        """Read the review from its first page to its last, turning pages; returns the lines, in order.

        The last page is left on the screen, so one more OK shows the code. None where the display's end reads no words.

        Raises:
            Deviation: if the token shows no review.
        """
        if not self._display.tells_state:
            return None
        lines: list[str] = []
        shown = self.look()
        for _ in range(PAGES_TO_TURN):
            if shown.state != REVIEW:
                break
            lines += (shown.lines or ())[1:]
            if shown.ok == CONFIRM:
                return lines
            shown = self.press(Button.OK)
        raise Deviation(f"the screen of {self.name}", "a review that ends", _in_words(shown))

    def confirm(self) -> str:
        """Press OK on the last page of a review, where words cannot be read on each; returns the digits that are shown.

        Raises:
            Deviation: if the token shows no code in the end.
        """
        if self._display.tells_state:
            self.press(Button.OK)
            return self.read_code()
        shown = UNTOLD
        for _ in range(PAGES_TO_TURN):
            for seen in self._display.looks():
                shown = seen
                if seen.code is not None:
                    self._exhibit(seen)
                    self.put_away()
                    return seen.code
            self.press(Button.OK)
        raise Deviation(f"the screen of {self.name}", "a code", _in_words(shown))

    def read_code(self) -> str:
        """The digits on the screen.

        Raises:
            Deviation: if the token shows no code.
        """
        shown = next(
            (seen for seen in self._display.looks() if seen.code is not None or self._display.tells_state), UNTOLD
        )
        self._exhibit(shown)
        if shown.code is None:
            raise Deviation(f"the screen of {self.name}", "a code", _in_words(shown))
        return shown.code

    def restart(self) -> None:
        """Take its power away, and give it back.

        Raises:
            RigError: if nothing can do that.
        """
        self._switch.power_off()
        self._switch.power_on()

    def _exhibit(self, shown: Shown) -> None:
        if shown.png is not None and shown.png != self._last:
            self._last = shown.png
            self._on_exhibit(Picture(f"{self.name}: {shown.state or 'what the camera saw'}", shown.png))


def _in_words(shown: Shown) -> str:
    return " / ".join(shown.lines) if shown.lines else shown.state or "nothing that could be read"
