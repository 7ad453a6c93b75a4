"""The emulated end of a token's port: a token in an emulated hand, whose camera sees what a real lens would."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from authrig.errors import RigError
from authrig.evidence.recorder import Exhibit, Picture
from authrig.ports.token_parts import CAMERA, CLOCK, KEYPAD, PIN, WIPES, Shown, code_in
from emulators.camera_scanner.decoders import read_codes
from emulators.camera_scanner.outline import encode_png, outline
from emulators.hwtoken.console import Console
from emulators.hwtoken.display import picture as picture_of_screen
from emulators.hwtoken.profile import Profile
from emulators.hwtoken.readout import read_keys, read_text
from emulators.hwtoken.screens import Code, Declined, Scanning, Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emulators.camera_scanner.frames import Image
    from emulators.camera_scanner.sources.synthetic import SyntheticCamera
    from emulators.env import Env
    from emulators.hwtoken.keys import Button
    from emulators.hwtoken.token import QrToken

FRAMES_TO_TRY = 60
"""Two seconds at 30 frames a second: a hand holds a token no longer before it moves."""


@lru_cache(maxsize=512)
def _png(screen: Screen, profile: Profile) -> bytes:
    """A picture of the device; a PIN that is typed with a wheel brings the same screens up again and again."""
    return encode_png(picture_of_screen(screen, profile))


class EmulatedToken:
    """All parts of the port in one. The frame in which the token found a code is handed to ``on_exhibit``."""

    tells_state = True

    def __init__(
        self, token: QrToken, env: Env, camera: SyntheticCamera, on_exhibit: Callable[[Exhibit], None]
    ) -> None:
        self._token = token
        self._console = Console(token, env)
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

    def press(self, button: Button, *, held: bool = False) -> None:
        """Press and release one of its keys.

        Raises:
            RigError: if it has no such key.
        """
        try:
            self._token.press(button, held=held)
        except ValueError as error:
            raise RigError(str(error)) from error

    def looks(self) -> Iterator[Shown]:
        """Its screen; while it scans, after each frame that its camera saw."""
        frames = islice(self._camera.frames(), FRAMES_TO_TRY) if self._picture_is_there else iter(())
        self._token.tick()
        yield self._shown()
        for frame in frames:
            self._token.see(frame)
            if not isinstance(self._token.screen, Scanning):
                seen = outline(frame.image, read_codes(frame.image), timed=False)
                self._on_exhibit(Picture("what the token's camera saw, with the code it found", encode_png(seen)))
                yield self._shown()
                return

    def power_on(self) -> None:
        """Switch it on."""
        self._token.power_on()

    def power_off(self) -> None:
        """Switch it off."""
        self._token.power_off()

    def ask(self, command: str, **parameters: Any) -> dict[str, Any]:
        """The answer of its console, which is there without a line.

        Raises:
            RigError: if it refuses.
        """
        self._console.receive(json.dumps({"id": 0, "cmd": command, **parameters}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(self._console.take_output())
        if not answer["ok"]:
            raise RigError(f"the console refused {command}: {answer['error']}: {answer['message']}")
        return answer

    def capabilities(self) -> frozenset[str]:
        """What its model can do."""
        profile = self._token.profile
        has = {
            CAMERA: profile.behaviour.camera,
            CLOCK: profile.behaviour.has_rtc,
            KEYPAD: profile.behaviour.keypad,
            PIN: profile.pin is not None,
            WIPES: profile.pin is not None and profile.pin.wipe_when_spent,
        }
        return frozenset(word for word, there in has.items() if there)

    def _shown(self) -> Shown:
        screen, profile = self._token.screen, self._token.profile
        lines = read_text(screen, profile)
        png = _png(screen, profile)
        code = code_in(lines) if isinstance(screen, Code | Declined) else None
        return Shown(screen.state.name.lower(), lines, read_keys(screen)[1], code, png)
