"""An emulated token of the bench, as in one's hand: it ticks by itself, and its camera looks while it scans."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from authrig.control.device import CannotError, Device
from authrig.errors import RigError
from emulators.camera_scanner.outline import encode_png
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import Env, SeededRandom, SystemClock, SystemRandom
from emulators.hwtoken.display import picture as picture_of_device
from emulators.hwtoken.display import render
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.profile import ProfileError, load_profile
from emulators.hwtoken.readout import read_keys, read_text
from emulators.hwtoken.screens import Code, Scanning, State
from emulators.hwtoken.token import QrToken

if TYPE_CHECKING:
    from authrig.control.device import Action
    from authrig.control.happenings import Happenings
    from authrig.rig_file.entries import EmulatedToken
    from emulators.camera_scanner.frames import Image
    from emulators.hwtoken.keys import Button
    from emulators.hwtoken.screens import Screen

SEED_BYTES = 32
_LOOK_SECONDS = 0.1
"""Between two frames; a token's camera is a slow one."""
_TICK_SECONDS = 0.5


class EmulatedQrToken(Device):
    """A token that is on from the start, with a seed of its own.

    Args:
        name: what the rig file calls it.
        kind: ``qr-token`` or ``otp-token``.
        entry: what it is like.
        serial: its serial number.
        happenings: gets its screens.

    Raises:
        RigError: if there is no such profile or preset.
    """

    def __init__(self, name: str, kind: str, entry: EmulatedToken, serial: str, happenings: Happenings) -> None:
        can: set[Action] = {"press", "power", "screen"}
        super().__init__(
            name, kind, frozenset(can | {"picture"} if kind == "qr-token" else can), happenings, emulated=True
        )
        random = SystemRandom() if entry.seed is None else SeededRandom(entry.seed).fork(name)
        eye = SeededRandom(entry.seed if entry.seed is not None else serial).fork(f"{name} camera")
        try:
            profile = load_profile(entry.profile)
            self._camera = SyntheticCamera(eye, entry.preset)
        except (ProfileError, ValueError) as error:
            raise RigError(str(error)) from error
        self.serial = serial
        self.seed = random.token_bytes(SEED_BYTES)
        """For the verification cloud; a test-only secret."""
        memory = TokenMemory()
        memory.provision(serial, self.seed)
        self._lock = threading.Lock()
        self._token = QrToken(Env(SystemClock(), random), profile, memory, self._showed)
        self._has_picture = False
        self._stirred, self._closed = threading.Event(), False
        self._thread = threading.Thread(target=self._live, name=f"token {name}", daemon=True)
        self.power(on=True)
        self._thread.start()

    def state(self) -> dict[str, Any]:
        """Its screen in words, and the words above its keys."""
        with self._lock:
            screen, profile = self._token.screen, self._token.profile
            cancel, ok = read_keys(screen)
            return {
                "power": screen.state is not State.OFF,
                "screen": screen.state.name.lower(),
                "lines": read_text(screen, profile),
                "keys": {"cancel": cancel, "ok": ok},
                "keypad": profile.behaviour.keypad,
                "code": screen.code if isinstance(screen, Code) else None,
                "picture": self._has_picture,
                "profile": profile.name,
                "serial": self.serial,
            }

    def press(self, button: Button, *, held: bool) -> None:
        """Press one of its keys."""
        self._happened("press", button.value + (", held" if held else ""))
        try:
            with self._lock:
                self._token.press(button, held=held)
        except ValueError as error:
            raise CannotError(f"{self.name}: {error}") from error
        self._stirred.set()

    def power(self, *, on: bool) -> None:
        """Switch it on or off."""
        with self._lock:
            (self._token.power_on if on else self._token.power_off)()
        self._happened("power", "on" if on else "off")
        self._stirred.set()

    def picture(self, image: Image | None) -> None:
        """Hold it there until it is taken away: the token looks at it whenever it scans."""
        if "picture" not in self.actions:
            super().picture(image)
        with self._lock:
            if image is not None:
                self._camera.show(image)
            self._has_picture = image is not None
        self._happened("picture", "before its camera" if image is not None else "taken away")
        self._stirred.set()

    def screen(self, *, dots: bool = False) -> bytes:
        """The device in one's hand, or its panel."""
        with self._lock:
            token = self._token
            if dots:
                return encode_png(255 * (1 - render(token.screen, token.profile, token.defects)))
            return encode_png(picture_of_device(token.screen, token.profile, None, token.defects))

    def close(self) -> None:
        """Stop its life."""
        self._closed = True
        self._stirred.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _live(self) -> None:
        """Time-outs when they are due, and a frame now and then while it scans."""
        while not self._closed:
            with self._lock:
                self._token.tick()
                looks = self._has_picture and isinstance(self._token.screen, Scanning)
                if looks:
                    self._token.see(next(self._camera.frames()))
            self._stirred.wait(_LOOK_SECONDS if looks else _TICK_SECONDS)
            self._stirred.clear()

    def _showed(self, screen: Screen) -> None:
        words = " / ".join(read_text(screen, self._token.profile))
        self._happened("screen", f"{screen.state.name.lower()}: {words}" if words else screen.state.name.lower())
