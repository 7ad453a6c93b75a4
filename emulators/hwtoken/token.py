"""The QR token: frames, button presses and time in; screens out.

The device opens nothing, sleeps never and has no thread. Whoever runs it shows it frames and ticks it now and then.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from emulators.env import Env
from emulators.hwtoken.answering import Answering
from emulators.hwtoken.defects import NONE
from emulators.hwtoken.keys import Button, KeyScanner
from emulators.hwtoken.memory import PowerLost, TokenMemory
from emulators.hwtoken.menu_dialogue import MenuDialogue
from emulators.hwtoken.network import CameBack, Errand, Radio
from emulators.hwtoken.network_dialogue import NetworkDialogue
from emulators.hwtoken.panel import Dialogue, Panel
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.pin import PinLock
from emulators.hwtoken.pin_dialogue import PinDialogue
from emulators.hwtoken.power import Battery, PowerSupply
from emulators.hwtoken.profile import Profile
from emulators.hwtoken.rtc import TokenClock
from emulators.hwtoken.screens import (
    Error,
    ErrorKind,
    Event,
    Idle,
    Off,
    Scanning,
    Screen,
    State,
    move,
    ok_event,
)
from emulators.hwtoken.session import Session

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Frame

__all__ = ["Button", "QrToken"]


class QrToken:
    """An offline QR token, dark until it is powered on.

    Args:
        env: clock and randomness.
        profile: which model it is.
        memory: what survives power-off: serial, seed, PIN, counters, replay cache.
        on_screen: called with each new screen once it is up; may press buttons.
    """

    def __init__(
        self, env: Env, profile: Profile, memory: TokenMemory, on_screen: Callable[[Screen], None] | None = None
    ) -> None:
        self._env = env
        self._supply = PowerSupply(env.clock)
        clock = TokenClock(env.clock, memory, present=profile.behaviour.has_rtc)
        self._parts = Parts(memory, clock, env.random, profile, Radio(present=profile.behaviour.network))
        self._session = Session(self._parts)
        self._panel = Panel(env.clock, profile, self._session, self._idle, on_screen)
        self._pin: PinDialogue | None = None
        if profile.pin is not None:
            lock = PinLock(memory, profile.pin, env.random)
            self._pin = PinDialogue(lock, profile.pin, memory, self._session, self._panel)
        self._answering = Answering(self._panel, self._session, self._pin, profile)
        self._menu = MenuDialogue(self._panel, self._session, self._parts, self._answering, self._pin)
        self._network = NetworkDialogue(env.clock, self._panel, self._session, self._parts, self._answering)
        self._keys = KeyScanner()
        self.defects = NONE
        """What is wrong with the display. The token itself knows nothing of it."""
        memory.before_write = self._supply.feed_write

    # What it is made of

    @property
    def screen(self) -> Screen:
        """What is on the panel."""
        return self._panel.screen

    @property
    def profile(self) -> Profile:
        """Which model it is."""
        return self._parts.profile

    @property
    def memory(self) -> TokenMemory:
        """What survives power-off."""
        return self._parts.memory

    @property
    def clock(self) -> TokenClock:
        """The token's own clock, to make it drift, jump or stop."""
        return self._parts.clock

    @property
    def parts(self) -> Parts:
        """The hardware below the protocols."""
        return self._parts

    @property
    def battery(self) -> Battery:
        """The cell in the token; put another one in by ``set_charge``."""
        return self._supply.battery

    @property
    def next_deadline(self) -> float | None:
        """When there is something to do by the clock, in monotonic seconds: call ``tick``, look at ``errand``. None if dark."""
        deadlines = (self._panel.deadline, self._network.next_deadline)
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    @property
    def errand(self) -> Errand | None:
        """What it wants sent over its network now, if anything: for whoever runs it to do, and to ``deliver``."""
        return self._network.errand

    # What happens to it

    def power_on(self) -> None:
        """Boot: to the idle screen, to the PIN, or to an error where nothing works. No earlier session comes back."""
        with self._powered():
            self._drain()
            if self.screen.state is not State.OFF or self.battery.is_dead:
                return
            if self.memory.serial is None:
                sentence = "This token has no key yet. It must be provisioned."
                self._panel.show(Event.SWITCHED_ON_UNFIT, Error(ErrorKind.NOT_PROVISIONED, sentence))
            elif self.memory.contents.zeroised:
                sentence = f"Opened and erased. {self.memory.serial}"
                self._panel.show(Event.SWITCHED_ON_UNFIT, Error(ErrorKind.TAMPERED, sentence))
            else:
                self._go_home(Event.SWITCHED_ON)

    def power_off(self) -> None:
        """Take the power away. Keys, challenge and code leave the working memory."""
        self._panel.go_dark()

    def press(self, button: Button, *, held: bool = False) -> None:
        """Press and release ``button``; ``held``: for longer than a second. Where it has no meaning, nothing happens.

        Raises:
            ValueError: this model has no such key.
        """
        if button.digit and not self.profile.behaviour.keypad:
            raise ValueError(f"expected a key of the {self.profile.name}: OK or CANCEL, found {button.digit}")
        with self._powered():
            self.tick()
            if isinstance(self._panel.behind, Dialogue):
                self._panel.type(self._panel.behind, button, held=held)
            elif held:
                self._hold(button)
            elif not button.digit:
                self._push(button)

    def contact(self, button: Button, *, closed: bool) -> None:
        """The contact below ``button`` closes or opens, now: bounces, long presses, chords and stuck keys are told apart.

        Raises:
            ValueError: this model has no such key.
        """
        now = self._env.clock.monotonic()
        if closed:
            self._keys.down(button, now)
            return
        press = self._keys.up(button, now)
        if press is not None:
            self.press(press.button, held=press.held)

    def see(self, frame: "Frame") -> None:
        """Let the camera see ``frame``. It is looked at only while the scan screen is up.

        Raises:
            ImageError: if the frame holds no picture; the screen stays.
        """
        self.tick()
        if self.screen.state is State.SCANNING:
            from emulators.camera_scanner.decoders import read_codes  # noqa: PLC0415 - decoders are slow to import

            self.read(*(read.data for read in read_codes(frame.image)))

    def read(self, *codes: bytes) -> None:
        """What ``see`` does with the codes that it found in one frame: judge their bytes, if the scan screen is up."""
        self.tick()
        if self.screen.state is State.SCANNING and codes:
            self._answering.judge(codes)

    def tick(self) -> None:
        """Let time-outs happen that are due. Late ticks catch up: the result does not depend on how often one ticks."""
        self._drain()
        self._panel.time_out(self._network.give_up)

    def deliver(self, number: int, came_back: CameBack) -> None:
        """Hand it what came back for the errand of that number. What comes too late changes nothing."""
        with self._powered():
            self.tick()
            self._network.deliver(number, came_back)

    def go_online(self, *, online: bool) -> None:
        """Switch its network on or off, as its menu does; on a model without one nothing happens."""
        with self._powered():
            self.tick()
            self._menu.go_online(online=online)

    def tamper(self) -> None:
        """Open the case: every key is erased at once, whatever the token was doing, and it never works again.

        Raises:
            MemoryFault: the store refuses; the token is dark all the same.
        """
        self.power_off()
        if self.memory.serial is not None:
            self.memory.zeroise()

    def cut_power_at_write(self, writes: int | None) -> None:
        """A fault: let the power go at the memory write after ``writes`` more; None: let it stay."""
        self._supply.writes_before_a_cut = writes

    # What keys do

    def _push(self, button: Button) -> None:
        event = ok_event(self.screen) if button is Button.OK else Event.CANCEL
        step = move(self.screen.state, event)
        match step.to if step else None:
            case _ if self.screen.state is State.MENU:
                (self._menu.select if button is Button.OK else self._menu.next)()
            case State.OFF:
                self._panel.show(event, Off())
            case State.IDLE:
                self._go_home(event)
            case State.SCANNING if self._menu.begins_with_camera:
                self._panel.show(event, Scanning())
            case State.SCANNING if self.screen.state is State.ERROR:
                self._go_home(Event.CANCEL)
            case State.SCANNING:
                self._menu.start()
            case State.REVIEW:
                self._answering.turn_page(event)
            case State.CODE:
                self._answering.confirm_last_page(event)
            case State.REFUSED:
                self._answering.refuse(event)

    def _hold(self, button: Button) -> None:
        if button is Button.OK and self.screen.state is State.IDLE:
            self._menu.open()
        elif button is Button.CANCEL and self.screen.state is State.MENU:
            self._panel.show_idle(Event.HOLD_CANCEL)
        elif button is Button.CANCEL:
            self._answering.decline()

    def _go_home(self, event: Event) -> None:
        """To the idle screen by ``event``, or to what stands before it: setting, typing or unlocking the PIN."""
        if self._pin is None or not self._pin.stands_before():
            self._panel.show_idle(event)

    def _idle(self) -> Idle:
        keys = self.memory.identity or self.memory.contents.slots
        usual = ("Online" if self._parts.radio.is_on else "Offline") if self._parts.radio.present else ""
        note = "Battery low" if self.battery.is_low else usual if keys else "Not activated"
        return Idle(self.profile.name, self.memory.serial or "", note, self._menu.start_label)

    # The battery

    def _drain(self) -> None:
        self._supply.drain(self.screen.state, self._panel.deadline)
        if self.battery.is_dead:
            self.clock.lose()
            self.power_off()

    @contextmanager
    def _powered(self) -> Iterator[None]:
        """Go dark where the power is lost on the way."""
        try:
            yield
        except PowerLost:
            self.power_off()
