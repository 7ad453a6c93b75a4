"""A bench for the QR token suite: an emulated token behind every end that a rig has for a real one.

Its console is on a pseudo-terminal; relays on another one press its keys; and a camera photographs its display.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from emulators.camera_scanner import optics
from emulators.camera_scanner.decoders import Corners
from emulators.camera_scanner.frames import Frame, Image
from emulators.env import Clock, Env
from emulators.hwtoken.console import Console
from emulators.hwtoken.display import code_row, picture
from emulators.hwtoken.keys import HOLD_SECONDS, Button
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.pin import PinLock
from emulators.hwtoken.profile import load_profile
from emulators.hwtoken.screens import Code, Screen
from emulators.hwtoken.token import QrToken
from emulators.usb.serial_pty import SerialPty

SERIAL, SEED, PIN = "QT1-00000042", bytes(range(32)), "4711"
FRAME = (640, 480)
_CASING = (52, 68)
"""Where the panel begins in the picture of the device, in pixels: rim and side, rim and top."""


class Relays:
    """A relay board on the token (docs/reference/relay-protocol.md): channel 1 presses OK, 2 CANCEL, 3 is its power."""

    baud_rate = 115_200

    def __init__(
        self,
        press: Callable[[Button, bool], None],
        clock: Clock,
        power: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._press = press
        self._power = power
        self.clock = clock
        self._line, self._output = b"", b""

    def receive(self, data: bytes) -> None:
        """Lines from the rig."""
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._output += self._answer(line.decode().split()) + b"\n"

    def _answer(self, words: list[str]) -> bytes:
        match words:
            case ["ID"]:
                return b"RELAYS 4"
            case ["PULSE", ("1" | "2") as channel, milliseconds]:
                self._press((Button.OK, Button.CANCEL)[int(channel) - 1], int(milliseconds) >= 1000 * HOLD_SECONDS)
                return b"OK"
            case ["SET", "3", ("ON" | "OFF") as state]:
                self._power(state == "ON")
                return b"OK"
        return b"ERR what"

    def poll(self) -> None:
        """Nothing is due."""

    def next_deadline(self) -> float | None:
        """Never."""
        return None

    def take_output(self) -> bytes:
        """The answers."""
        taken, self._output = self._output, b""
        return taken


class Photographer:
    """A camera on a stand before the token: it sees the whole device, a little from the side, blurred and noisy."""

    name = "the camera on the stand"

    def __init__(self, profile: str, screen: Callable[[], Screen]) -> None:
        self._profile = load_profile(profile)
        self._screen = screen
        code = Code("0000 0000", "Type it to log in")
        device = picture(code, self._profile)
        scale = max(1, 512 // self._profile.panel.width)
        left, top, right, bottom = (edge * scale for edge in code_row(code, self._profile).box)
        x, y = _CASING
        row = [(x + left, y + top), (x + right, y + top), (x + right, y + bottom), (x + left, y + bottom)]
        size = (device.shape[1], device.shape[0])
        middle = np.array(row, np.float64).mean(axis=0)
        zoom = 0.65 * FRAME[0] / (row[1][0] - row[0][0])
        off = (np.array(size) / 2 - middle) * zoom
        self._homography = optics.pose(FRAME, size, optics.View(6.0, -8.0, 3.0, float(off[0]), float(off[1]), zoom))
        seen = cv2.perspectiveTransform(np.array([row], np.float64), self._homography)[0]
        first, second, third, fourth = ((float(x), float(y)) for x, y in seen)
        self.corners: Corners = (first, second, third, fourth)

    def frames(self) -> Iterator[Frame]:
        """What it sees, one frame after the other."""
        number = 0
        while True:
            yield Frame(self._photograph(number), number / 30, self.name)
            number += 1

    def _photograph(self, seed: int) -> Image:
        seen = optics.perspective(picture(self._screen(), self._profile), self._homography, FRAME)
        seen = optics.lens_blur(seen, 0.8)
        return optics.jpeg(optics.sensor_noise(optics.vignette(seen, 0.2), 4, seed), 85)

    def close(self) -> None:
        """It stays where it is."""


@dataclass(frozen=True)
class TokenBench:
    """The token's console, the relays, and the camera."""

    token: QrToken
    console: str
    relays: str
    camera: Photographer

    def by_console(self, path: Path) -> Path:
        """A rig file for which the console is every end."""
        at = f'{{ by = "console", serial_port = "{self.console}" }}'
        return self._write(path, f"picture = {at}\nkeys = {at}\ndisplay = {at}\n")

    def by_camera(self, path: Path, profile: str) -> Path:
        """A rig file with keys by relays and the display read by the camera; the console shows pictures and cuts the power."""
        corners = [list(corner) for corner in self.camera.corners]
        return self._write(
            path,
            f'picture = {{ by = "console", serial_port = "{self.console}" }}\n'
            f'keys = {{ by = "relays", serial_port = "{self.relays}", ok = 1, cancel = 2 }}\n'
            f'display = {{ by = "camera", camera = "cam", kind = "dot-matrix", profile = "{profile}", corners = {corners} }}\n'
            '[devices.cam]\nkind = "camera"\nemulated = {}\n',
        )

    def _write(self, path: Path, ends: str) -> Path:
        keypad = '"keypad", ' if self.token.profile.behaviour.keypad else ""
        pin = '"pin", ' if self.token.profile.pin else ""
        path.write_text(
            'version = 1\n[devices.token]\nkind = "qr-token"\n'
            f'attached = {{ serial = "{SERIAL}", seed_hex = "{SEED.hex()}", pin = "{PIN}" }}\n'
            f'capabilities = [{keypad}{pin}"clock"]\ndestructive = true\n{ends}',
            "utf-8",
        )
        return path


@contextmanager
def token_bench(profile: str, env: Env, *, with_pin: bool = False) -> Iterator[TokenBench]:
    """The bench, with a token of ``profile``; ``with_pin``: its user has chosen one before."""
    model, memory = load_profile(profile), TokenMemory()
    memory.provision(SERIAL, SEED)
    if with_pin and model.pin is not None:
        PinLock(memory, model.pin, env.random).choose(PIN)
    token = QrToken(env, model, memory)
    with ExitStack() as opened:
        line = opened.enter_context(SerialPty(Console(token, env), any_speed=True))

        def press(button: Button, held: bool) -> None:  # noqa: FBT001 - as the relays call it
            with line.using():
                token.press(button, held=held)

        def screen() -> Screen:
            with line.using():
                return token.screen

        def power(on: bool) -> None:  # noqa: FBT001 - as above
            with line.using():
                (token.power_on if on else token.power_off)()

        relays = opened.enter_context(SerialPty(Relays(press, env.clock, power), any_speed=True))
        yield TokenBench(token, line.path, relays.path, Photographer(profile, screen))
