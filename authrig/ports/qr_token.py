"""What the rig does to a QR token: show it a picture, press its buttons, read its screen.

A test never asks whether the token is emulated or attached, nor who reads its display.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from authrig.errors import Deviation, RigError
from authrig.evidence.recorder import Event, Exhibit, Picture
from authrig.ports.token_parts import CONSOLE, KEYPAD, PIN, TIME, UNTOLD, WORDS, Shown
from emulators.hwtoken.keys import Button

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from authrig.attached.hands import Switch
    from authrig.ports.token_parts import PressesKeys, ReadsDisplay, ShowsPictures, TalksBack
    from emulators.camera_scanner.frames import Image

PAGES_TO_TURN: Final = 64
SCANNING, REVIEW, CODE, TYPING = "scanning", "review", "code", "typing"
BEFORE_A_SCAN: Final = ("idle", "error")
"""Screens on which OK begins a scan, and cannot confirm anything."""
USUAL_PIN: Final = "4711"
MOST_PIN_DIGITS: Final = 8
WHEEL = re.compile(r"\[(.)\]$")
"""The position of the wheel, as the words of a screen tell it."""
DONE: Final = "="
CONFIRM: Final = "Confirm"
"""The word above OK on the last page of a review."""
_EVIDENCE_MS: Final = 2000.0
"""Evidence says what is in a picture also if the machine is busy: nobody waits for it."""


class QrToken:
    """A token with somebody who holds it. What it shows is handed to ``on_exhibit``, each screen once.

    Args:
        name: for sentences.
        shows: holds pictures before its camera.
        keys: presses its keys.
        display: reads its display.
        switch: takes its power away; that brings it to a known screen.
        on_exhibit: gets pictures of what it showed, and an event for all that is done to it and all that it shows.
        console: what no hand can do; None: this device has none.
        let_pass: lets seconds pass for it; None: they take their time.
        can: what it can do beyond what the parts tell, in the words of ``authrig.ports.token_parts``.
        pin: what is typed where it asks for its PIN.
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
        console: TalksBack | None = None,
        let_pass: Callable[[float], None] | None = None,
        can: frozenset[str] = frozenset(),
        pin: str = USUAL_PIN,
    ) -> None:
        self.name = name
        self.pin = pin
        """The PIN that it has, or gets."""
        self._console = console
        self._let_pass = let_pass
        self._can = can
        self._shows = shows
        self._keys = keys
        self._display = display
        self._switch = switch
        self._on_exhibit = on_exhibit
        self._last = UNTOLD
        self._shown = ExitStack()

    def capabilities(self) -> frozenset[str]:
        """What it can do, in the words of ``authrig.ports.token_parts``."""
        told = {WORDS: self._display.tells_state, CONSOLE: self._console is not None, TIME: self._let_pass is not None}
        return self._can | {word for word, there in told.items() if there}

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

    def photograph(self) -> bytes | None:
        """A picture of its display now, as a PNG for whoever reads more there than this end of the port; None: it takes none.

        Raises:
            RigError: if the display cannot be read.
        """
        shown = next(iter(self._display.looks()))
        self._exhibit(shown)
        return shown.png

    def press(self, *buttons: Button, held: bool = False) -> Shown:
        """Press ``buttons`` one after the other, or hold each; returns what is shown after the last.

        Raises:
            RigError: if one cannot be pressed.
        """
        for button in buttons:
            self._tell("key", {"button": button.value, "held": held})
            self._keys.press(button, held=held)
            shown = self.look()
        return shown

    def type_digits(self, digits: str, *, most: int = MOST_PIN_DIGITS) -> Shown:
        """Type ``digits`` and finish: on its keypad, or with the wheel that two buttons turn.

        Args:
            digits: what it asks for.
            most: as many as it takes; only for an end that does not see the wheel.

        Raises:
            Deviation: if the wheel has no such position.
            RigError: if a key cannot be pressed.
        """
        shown = self.look()
        if KEYPAD in self._can:
            return self.press(*(Button(digit) for digit in digits), Button.OK)
        for number, wanted in enumerate((*digits, DONE)):
            if self._display.tells_state:
                shown = self._turn_to(wanted, shown)
            else:
                # The wheel begins at 0 each time; behind the nine it has what finishes, or nothing else if it is full.
                turns = int(wanted) if wanted != DONE else 10 if number < most else 0
                self.press(*[Button.CANCEL] * turns)
            shown = self.press(Button.OK)
        return shown

    def _turn_to(self, wanted: str, shown: Shown) -> Shown:
        for _ in range(PAGES_TO_TURN):
            wheel = WHEEL.search(shown.lines[-1]) if shown.lines else None
            if wheel is None:
                break
            if wheel[1] == wanted:
                return shown
            shown = self.press(Button.CANCEL)
        raise Deviation(f"the wheel of {self.name}", wanted, _in_words(shown))

    def ensure_pin(self) -> Shown:
        """Have it on, with its PIN typed; one that has none yet gets ``pin``. Returns the screen that is then up.

        Raises:
            Deviation: if it does not take the PIN.
            RigError: if a part of the port fails.
        """
        if PIN not in self._can:
            return self.look()
        if not self._display.tells_state:
            return self.type_digits(self.pin)
        shown = self.look()
        if shown.state != TYPING:
            return shown
        for _ in range(2):  # to choose it is to type it twice; to sign in is to type it once
            if shown.state == TYPING:
                shown = self.type_digits(self.pin)
        if shown.state == "notice":
            shown = self.press(Button.OK)
        if shown.state != "idle":
            raise Deviation(f"the screen of {self.name}", "what follows a right PIN", _in_words(shown))
        return shown

    def set_fault(self, **fault: Any) -> None:
        """Break something, or mend it, by the words of the console's command.

        Raises:
            RigError: if it has no console, or its bench cannot do that.
        """
        self._tell("console", {"fault": {name: fault[name] for name in sorted(fault)}})
        self._ask("fault", **fault)
        self.look()

    def counters(self) -> dict[str, Any]:
        """What it counts, by the words of the console.

        Raises:
            RigError: if it has no console.
        """
        return self._ask("counters")

    def self_test(self) -> Sequence[str]:
        """What its self-test says of each part.

        Raises:
            RigError: if it has no console.
        """
        return [str(part) for part in self._ask("self_test")["parts"]]

    def time(self) -> float | None:
        """Its own clock, in seconds since 1970; None where it has none, or none that can be read."""
        if self._console is None:
            return None
        told = self._ask("time").get("clock")
        return float(told) if isinstance(told, int | float) else None

    def wait(self, seconds: float) -> Shown:
        """Let ``seconds`` pass for it at once; returns what it shows then.

        Raises:
            RigError: if its time cannot be made to pass.
        """
        if self._let_pass is None:
            raise RigError(f"{self.name}: its time passes only by itself")
        self._tell("console", {"wait": seconds})
        self._let_pass(seconds)
        return self.look()

    def _ask(self, command: str, **parameters: Any) -> dict[str, Any]:
        if self._console is None:
            raise RigError(f"{self.name}: it has no console for {command}")
        return self._console.ask(command, **parameters)

    def scan(self, picture: Image) -> Shown:
        """Hold ``picture`` before the token until it has found a code; returns what it then shows.

        Where the display's end cannot tell what is on it, the picture stays there until the next one, or ``put_away``.

        Raises:
            Deviation: if the token found none.
            RigError: if a part of the port fails.
        """
        self.put_away()
        self.get_ready()
        self._tell("picture", _described(picture))
        self._shown.enter_context(self._shows.showing(picture))
        if not self._display.tells_state:
            return UNTOLD
        for shown in self._display.looks():
            if shown.state != SCANNING:
                self.put_away()
                self._exhibit(shown)
                return shown
        raise Deviation(f"the camera of {self.name}", "a code", "none in the time that one would wait")

    def get_ready(self) -> Shown:
        """Have it scan, with its PIN typed if it asks for that first. What was on its screen is gone.

        Raises:
            RigError: if a part of the port fails.
        """
        shown = self.look()
        if shown.state == SCANNING:
            return shown
        if shown.state in BEFORE_A_SCAN:
            shown = self.press(Button.OK)
        if shown.state != SCANNING:
            # Not by pressing OK until it scans: that might confirm what is on the screen.
            self.restart()
            self.ensure_pin()
            shown = self.press(Button.OK)
        return shown

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
        self._tell("power", {"on": False})
        self._switch.power_off()
        self._tell("power", {"on": True})
        self._switch.power_on()
        self.look()

    def _tell(self, layer: str, decoded: dict[str, Any], data: bytes = b"") -> None:
        self._on_exhibit(Event(layer, self.name, "to_device", data, decoded))

    def _exhibit(self, shown: Shown) -> None:
        last, self._last = self._last, shown
        if shown.png is not None and shown.png != last.png:
            self._on_exhibit(Picture(f"{self.name}: {shown.state or 'what the camera saw'}", shown.png))
        # A camera's frames all differ: what counts is whether what was read of them does.
        if (shown.state, shown.lines, shown.ok, shown.code) != (last.state, last.lines, last.ok, last.code):
            lines = None if shown.lines is None else list(shown.lines)
            said = {"state": shown.state, "lines": lines, "ok": shown.ok, "code": shown.code}
            self._on_exhibit(Event("screen", self.name, "from_device", b"", said))


def _described(picture: Image) -> dict[str, Any]:
    """What is held before the camera: the codes on it, and a hash of its dots."""
    from emulators.camera_scanner.decoders import read_codes  # noqa: PLC0415 - slow to import

    reads = read_codes(picture, deadline_ms=_EVIDENCE_MS)
    texts = sorted(read.data.decode("utf-8", "replace") for read in reads)
    return {"texts": texts, "sha256": hashlib.sha256(picture.tobytes()).hexdigest()}


def _in_words(shown: Shown) -> str:
    return " / ".join(shown.lines) if shown.lines else shown.state or "nothing that could be read"
