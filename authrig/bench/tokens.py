"""QR tokens of a bench."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from authrig.attached.hands import NoSwitch
from authrig.attached.token_console import TokenConsole
from authrig.attached.token_hands import CameraOnDisplay, PersonAtTheToken, RelayKeys
from authrig.bench.cameras import camera
from authrig.bench.pictures import shows_pictures
from authrig.errors import RigError
from authrig.ports import qr_token
from authrig.ports.emulated_token import EmulatedToken
from authrig.rig_file.entries import Buttons, Camera, Console, OtpToken, QrToken
from emulators.camera_scanner.display_reader import DotMatrix, SevenSegments
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.hwtoken import token as hwtoken
from emulators.hwtoken.font import load_font
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.profile import Display, ProfileError, load_profile

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from authrig.attached.hands import Switch
    from authrig.bench.tools import Tools
    from authrig.ports.token_parts import PressesKeys, ReadsDisplay, ShowsPictures
    from authrig.rig_file import entries
    from emulators.camera_scanner.display_reader import Panel
    from emulators.camera_scanner.frames import Image

SEED_BYTES = 32
GROUP = 4
"""Digits of a code stand in groups of so many."""


@dataclass(frozen=True, slots=True)
class LentToken:
    """A token, and what a verification cloud has to know of it; ``seed`` is None if it knows the token already."""

    port: qr_token.QrToken
    serial: str
    seed: bytes | None = field(repr=False)


def emulated_token(tools: Tools, serial: str, emulated: entries.EmulatedToken) -> LentToken:
    """A new token with a seed of its own, switched off, with an emulated camera.

    Raises:
        RigError: if there is no such profile or preset.
    """
    env = tools.env(emulated.seed, serial)
    try:
        profile = load_profile(emulated.profile)
        camera = SyntheticCamera(tools.stream(emulated.seed, f"{serial} camera"), emulated.preset)
    except (ProfileError, ValueError) as error:
        raise RigError(str(error)) from error
    seed = env.random.token_bytes(SEED_BYTES)
    memory = TokenMemory()
    memory.provision(serial, seed)
    token = EmulatedToken(hwtoken.QrToken(env, profile, memory), camera, tools.on_exhibit)
    port = qr_token.QrToken(serial, shows=token, keys=token, display=token, switch=token, on_exhibit=tools.on_exhibit)
    return LentToken(port, serial, seed)


class NoCamera:
    """A token that has no camera."""

    def __init__(self, device: str) -> None:
        self._device = device

    def showing(self, picture: Image) -> AbstractContextManager[None]:
        """Refuse.

        Raises:
            RigError: always.
        """
        del picture
        raise RigError(f"{self._device}: a token that only shows passwords has no camera")


class AttachedParts:
    """Puts the ends of one attached token's port together; a console that several of them are is opened once."""

    def __init__(
        self, tools: Tools, device: str, entry: entries.QrToken | entries.OtpToken, attached: entries.AttachedToken
    ) -> None:
        self._tools = tools
        self._device = device
        self._entry = entry
        self._attached = attached
        self._consoles: dict[str, TokenConsole] = {}

    def lend(self) -> LentToken:
        """The token.

        Raises:
            RigError: if a part of the port is not there.
        """
        port = qr_token.QrToken(
            self._device,
            shows=self._shows(),
            keys=self._keys(),
            display=self._display(),
            switch=self._switch(),
            on_exhibit=self._tools.on_exhibit,
        )
        self._tools.opened.callback(port.put_away)
        seed = bytes.fromhex(self._attached.seed_hex) if self._attached.seed_hex is not None else None
        return LentToken(port, self._attached.serial, seed)

    def _shows(self) -> ShowsPictures:
        match self._entry:
            case OtpToken():
                return NoCamera(self._device)
            case QrToken(picture=picture):
                if isinstance(picture, Console):
                    return self._console(picture)
                return shows_pictures(self._tools, self._device, picture)

    def _keys(self) -> PressesKeys:
        match self._entry.keys:
            case Console() as entry:
                return self._console(entry)
            case Buttons() as entry:
                channels = (self._tools.hands.channel(entry.serial_port, each) for each in (entry.ok, entry.cancel))
                return RelayKeys(*channels)
            case _:
                return self._person()

    def _display(self) -> ReadsDisplay:
        match self._entry.display:
            case Console() as entry:
                return self._console(entry)
            case Camera() as entry:
                return CameraOnDisplay(camera(self._tools, entry.camera), _panel(entry), entry.corners)
            case _:
                return self._person()

    def _switch(self) -> Switch:
        """What the rig file names, else a console, which can switch its device too."""
        switch = self._tools.hands.switch(self._entry.power, self._device)
        consoles = list(self._consoles.values())
        return consoles[0] if isinstance(switch, NoSwitch) and consoles else switch

    def _person(self) -> PersonAtTheToken:
        return PersonAtTheToken(self._tools.person, self._device, self._tools.folder)

    def _console(self, entry: Console) -> TokenConsole:
        console = self._consoles.get(entry.serial_port)
        if console is None:
            console = self._consoles[entry.serial_port] = TokenConsole(entry.serial_port, self._attached.serial)
            self._tools.opened.callback(console.close)
        return console


def _panel(entry: Camera) -> Panel:
    """How to read the display that a camera looks at.

    Raises:
        RigError: if there is no such profile, or its display has no dots.
    """
    if entry.kind == "seven-segment":
        return SevenSegments(entry.digits)
    try:
        display = load_profile(entry.profile).display
    except ProfileError as error:
        raise RigError(str(error)) from error
    if not isinstance(display, Display):
        raise RigError(f"{entry.profile}: expected a profile with a dot-matrix display, found another one")
    font = load_font(display.code_font)
    glyphs = {digit: font.glyph(digit).astype(bool) for digit in "0123456789"}
    return DotMatrix(glyphs, entry.digits, group=GROUP)
