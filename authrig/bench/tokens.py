"""QR tokens of a bench."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from authrig.attached.hands import NoSwitch
from authrig.attached.token_console import TokenConsole
from authrig.attached.token_hands import CameraOnDisplay, PersonAtTheToken, RelayKeys
from authrig.bench.cameras import camera
from authrig.bench.pictures import shows_pictures
from authrig.errors import RigError
from authrig.ports import qr_token
from authrig.ports.emulated_token import EmulatedToken
from authrig.ports.token_parts import ACTIVATION, CAMERA, POWER
from authrig.rig_file.entries import Buttons, Camera, Console, OtpToken, QrToken
from emulators.camera_scanner.display_reader import DotMatrix, SevenSegments
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import Random, SystemRandom
from emulators.hwtoken import token as hwtoken
from emulators.hwtoken.display import code_row
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.profile import Display, ProfileError, load_profile
from emulators.hwtoken.screens import Code

if TYPE_CHECKING:
    from collections.abc import Callable
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
    """A token, and what a verification cloud has to know of it; ``seed`` is None if it knows the token already.

    ``factory_key`` is the public key that its maker gives away, None where there is none or it is not known. ``random`` is for whoever asks the token: seeded where the token is emulated, so that runs are alike.
    """

    port: qr_token.QrToken
    serial: str
    seed: bytes | None = field(repr=False)
    random: Random = field(repr=False, default_factory=SystemRandom)
    factory_key: bytes | None = None


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
    makers = X25519PrivateKey.from_private_bytes(tools.stream(emulated.seed, f"{serial} maker").token_bytes(SEED_BYTES))
    memory.manufacture(serial, makers.private_bytes_raw())
    memory.provision(serial, seed)
    token = EmulatedToken(hwtoken.QrToken(env, profile, memory), env, camera, tools.on_exhibit)
    port = qr_token.QrToken(
        serial,
        shows=token,
        keys=token,
        display=token,
        switch=token,
        on_exhibit=tools.on_exhibit,
        console=token,
        let_pass=tools.clock.advance,
        can=token.capabilities() | {POWER, ACTIVATION},
    )
    return LentToken(
        port, serial, seed, tools.stream(emulated.seed, f"{serial} host"), makers.public_key().public_bytes_raw()
    )


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
            console=self._console_opened,
            let_pass=self._let_pass(),
            can=self._can(),
            pin=self._attached.pin,
        )
        self._tools.opened.callback(port.put_away)
        seed, factory_key = (
            None if text is None else bytes.fromhex(text)
            for text in (self._attached.seed_hex, self._attached.factory_key_hex)
        )
        return LentToken(port, self._attached.serial, seed, factory_key=factory_key)

    @property
    def _console_opened(self) -> TokenConsole | None:
        return next(iter(self._consoles.values()), None)

    def _let_pass(self) -> Callable[[float], None] | None:
        """What lets time pass, where the device lives in a world of its own; the bench's clock goes along."""
        console = self._console_opened
        if console is None:
            return None
        try:
            console.ask("time", advance=0)
        except RigError:
            return None

        def let_pass(seconds: float) -> None:
            console.ask("time", advance=seconds)
            self._tools.clock.advance(seconds)

        return let_pass

    def _can(self) -> frozenset[str]:
        """What the rig file says, and what its ends tell."""
        found = set(self._entry.capabilities)
        if self._entry.power != "none" or self._consoles:
            found.add(POWER)
        if isinstance(self._entry, QrToken):
            found.add(CAMERA)
        return frozenset(found)

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
        return self._console_opened or switch if isinstance(switch, NoSwitch) else switch

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
        profile = load_profile(entry.profile)
    except ProfileError as error:
        raise RigError(str(error)) from error
    if not isinstance(profile.display, Display):
        raise RigError(f"{entry.profile}: expected a profile with a dot-matrix display, found another one")
    digits = "0" * entry.digits
    row = code_row(Code(f"{digits[:GROUP]} {digits[GROUP:]}".strip(), ""), profile)
    glyphs = {digit: glyph.astype(bool) for digit, glyph in row.glyphs.items()}
    return DotMatrix(glyphs, entry.digits, group=GROUP)
