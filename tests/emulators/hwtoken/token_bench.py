"""A token on a bench, for tests: type on it, hold messages before it, read what it shows."""

from collections.abc import Callable

from emulators.env import Env, SeededRandom, SimulatedClock
from emulators.hwtoken.keys import Button
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.profile import Profile, load_profile
from emulators.hwtoken.screens import Code, Menu, Review, Screen, Typing
from emulators.hwtoken.token import QrToken
from offline_qr import otq1

SERIAL, SEED = "QT1-00000042", bytes(range(32))
KEYS = otq1.derive_keys(SERIAL, SEED)
FIELDS = (otq1.Field(otq1.Tag.SERVICE, "e-Banking"),)
PIN = "2749"


class Bench:
    """A token with a PIN, and a record of every screen."""

    def __init__(self, model: str | Profile = "qr-reader-keypad", memory: TokenMemory | None = None) -> None:
        self.clock = SimulatedClock()
        self.profile = model if isinstance(model, Profile) else load_profile(model)
        self.memory = memory or TokenMemory()
        if self.memory.serial is None:
            self.memory.provision(SERIAL, SEED)
        self.history: list[Screen] = []
        self.on_screen: Callable[[Screen], object] = lambda _: None
        self.token = QrToken(Env(self.clock, SeededRandom(1)), self.profile, self.memory, self._note)
        self._count = 0

    def _note(self, screen: Screen) -> None:
        self.history.append(screen)
        self.on_screen(screen)

    def screen(self) -> Screen:
        """What is on the panel."""
        return self.token.screen

    def ok(self) -> Screen:
        """Press OK."""
        self.token.press(Button.OK)
        return self.screen()

    def cancel(self) -> Screen:
        """Press CANCEL."""
        self.token.press(Button.CANCEL)
        return self.screen()

    def hold(self, button: Button) -> Screen:
        """Press ``button`` for long."""
        self.token.press(button, held=True)
        return self.screen()

    def type(self, digits: str) -> Screen:
        """Type ``digits`` and finish, on a keypad or with the wheel."""
        assert isinstance(self.screen(), Typing), self.screen()
        for digit in digits if self.profile.behaviour.keypad else digits + "=":
            if self.profile.behaviour.keypad:
                self.token.press(Button(digit))
                continue
            for _ in range(12):
                if self._wheel() == digit:
                    break
                self.cancel()
            self.ok()
        return self.ok() if self.profile.behaviour.keypad else self.screen()

    def _wheel(self) -> str:
        screen = self.screen()
        return screen.wheel if isinstance(screen, Typing) else ""

    def set_pin(self, pin: str = PIN) -> "Bench":
        """Switch a new token on and choose its PIN."""
        self.token.power_on()
        self.type(pin)
        self.type(pin)
        self.ok()
        return self

    def restart(self, pin: str | None = PIN) -> Screen:
        """Switch off and on, and type ``pin``."""
        self.token.power_off()
        self.token.power_on()
        return self.screen() if pin is None else self.type(pin)

    def choose(self, label: str) -> Screen:
        """Open the menu and select ``label``."""
        screen = self.hold(Button.OK)
        for _ in range(20):
            assert isinstance(screen, Menu), screen
            if screen.items[screen.chosen] == label:
                return self.ok()
            screen = self.cancel()
        raise AssertionError(f"no {label} in the menu")

    def header(
        self,
        kind: otq1.MessageType = otq1.MessageType.LOGIN,
        suite: int = 1,
        flags: otq1.Flags = otq1.Flags.NONE,
    ) -> otq1.Header:
        """Of a message issued now."""
        self._count += 1
        number = self._count.to_bytes(12)
        return otq1.Header(kind, otq1.key_id(SERIAL), number, int(self.clock.time()), 180, suite, flags)

    def challenge(self, suite: int = 1, flags: otq1.Flags = otq1.Flags.NONE) -> otq1.Challenge:
        """A login, issued now."""
        return otq1.Challenge(self.header(suite=suite, flags=flags), FIELDS)

    def admin(self, sequence: int, command: otq1.Command, argument: int | None = None) -> otq1.AdminMessage:
        """An order to the token, issued now."""
        return otq1.AdminMessage(self.header(otq1.MessageType.ADMIN), sequence, command, argument)

    def scan(self, message: otq1.Challenge | otq1.AdminMessage | str | bytes) -> Screen:
        """Start the camera from the idle or the locked screen, and hold ``message`` before it."""
        if isinstance(message, otq1.Challenge):
            message = otq1.encode(message, KEYS)
        elif isinstance(message, otq1.AdminMessage):
            message = otq1.encode_admin(message, KEYS)
        self.ok()
        self.token.read(message.encode() if isinstance(message, str) else message)
        return self.screen()

    def confirm(self) -> Screen:
        """Read all pages and confirm."""
        while isinstance(self.screen(), Review):
            self.ok()
        return self.screen()

    def code(self) -> str:
        """The digits on the panel."""
        screen = self.screen()
        assert isinstance(screen, Code), screen
        return screen.digits
