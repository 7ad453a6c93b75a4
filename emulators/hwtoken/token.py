"""The QR token: frames, button presses and time in; screens out.

The device opens nothing, sleeps never and has no thread. Whoever runs it shows it frames and ticks it now and then.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from emulators.env import Env
from emulators.hwtoken import menu
from emulators.hwtoken.defects import NONE
from emulators.hwtoken.keys import Button, KeyScanner
from emulators.hwtoken.layout import Unrenderable, paginate
from emulators.hwtoken.memory import MemoryFault, PowerLost, TokenMemory
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities.base import Confirmation, Offer, Personality, PinUse, Proposal, Rejected, TypeFirst
from emulators.hwtoken.personalities.table import personalities_of
from emulators.hwtoken.pin import PinLock
from emulators.hwtoken.pin_dialogue import Panel, PinDialogue, Session
from emulators.hwtoken.power import Battery
from emulators.hwtoken.profile import Profile
from emulators.hwtoken.rtc import TokenClock
from emulators.hwtoken.screens import (
    Code,
    Declined,
    Error,
    ErrorKind,
    Event,
    Idle,
    Line,
    Menu,
    Notice,
    Off,
    Refused,
    Review,
    Scanning,
    Screen,
    State,
    Typing,
    move,
    ok_event,
)
from emulators.hwtoken.typed import Outcome, Question, TypedDigits

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Frame

__all__ = ["Button", "QrToken"]


ANY_PIN = (4, 8)
"""Digits of a PIN that only a server judges, on a model without one of its own."""


@dataclass(frozen=True, slots=True)
class _UnderReview:
    proposal: Proposal
    pages: tuple[tuple[Line, ...], ...]

    def screen(self, page: int) -> Review:
        return Review(self.proposal.title, page, len(self.pages), self.pages[page - 1])


@dataclass(frozen=True, slots=True)
class _Dialogue:
    """Digits being typed, and what becomes of them."""

    digits: TypedDigits
    then: Callable[[str], None]

    def screen(self) -> Typing:
        digits = self.digits
        return Typing(digits.question.title, digits.question.prompt, digits.shown, digits.wheel, digits.enough)


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
        self._profile = profile
        self._memory = memory
        self._on_screen = on_screen
        self._clock = TokenClock(env.clock, memory, present=profile.behaviour.has_rtc)
        self._parts = Parts(memory, self._clock, env.random, profile)
        self._session = Session()
        self._pin: PinDialogue | None = None
        if profile.pin is not None:
            panel = Panel(self._ask, self._show, self._show_idle, self._show_fault, self.power_off)
            lock = PinLock(memory, profile.pin, env.random)
            self._pin = PinDialogue(lock, profile.pin, memory, self._session, panel)
        self._screen: Screen = Off()
        self._deadline: float | None = None
        self._personalities: tuple[Personality, ...] = ()
        self._under_review: _UnderReview | None = None
        self._dialogue: _Dialogue | None = None
        self._offers: tuple[Offer, ...] = ()
        self._keys = KeyScanner()
        self.battery = Battery()
        """The cell in the token; put another one in by ``set_charge``."""
        self.defects = NONE
        """What is wrong with the display. The token itself knows nothing of it."""
        self.writes_before_a_cut: int | None = None
        """A fault: the power goes at the memory write after so many more. None: it does not."""
        self._drained_until = env.clock.monotonic()
        memory.before_write = self._feed_write

    @property
    def screen(self) -> Screen:
        """What is on the panel."""
        return self._screen

    @property
    def profile(self) -> Profile:
        """Which model it is."""
        return self._profile

    @property
    def memory(self) -> TokenMemory:
        """What survives power-off."""
        return self._memory

    @property
    def clock(self) -> TokenClock:
        """The token's own clock, to make it drift, jump or stop."""
        return self._clock

    @property
    def parts(self) -> Parts:
        """The hardware below the protocols."""
        return self._parts

    @property
    def next_deadline(self) -> float | None:
        """When the screen times out, in monotonic seconds; None while it is dark."""
        return self._deadline

    def power_on(self) -> None:
        """Boot: to the idle screen, to the PIN, or to an error where nothing works. No earlier session comes back."""
        with self._powered():
            self._drain()
            if self._screen.state is not State.OFF or self.battery.is_dead:
                return
            if self._memory.serial is None:
                sentence = "This token has no key yet. It must be provisioned."
                self._show(Event.SWITCHED_ON_UNFIT, Error(ErrorKind.NOT_PROVISIONED, sentence))
            elif self._memory.contents.zeroised:
                sentence = f"Opened and erased. {self._memory.serial}"
                self._show(Event.SWITCHED_ON_UNFIT, Error(ErrorKind.TAMPERED, sentence))
            else:
                self._go_home(Event.SWITCHED_ON)

    def power_off(self) -> None:
        """Take the power away. Keys, challenge and code leave the working memory."""
        self._show(Event.SWITCHED_OFF, Off())

    def press(self, button: Button, *, held: bool = False) -> None:
        """Press and release ``button``; ``held``: for longer than a second. Where it has no meaning, nothing happens.

        Raises:
            ValueError: this model has no such key.
        """
        if button.digit and not self._profile.behaviour.keypad:
            raise ValueError(f"expected a key of the {self._profile.name}: OK or CANCEL, found {button.digit}")
        with self._powered():
            self.tick()
            if self._dialogue is not None:
                self._type(self._dialogue, button, held=held)
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
        if self._screen.state is State.SCANNING:
            from emulators.camera_scanner.decoders import read_codes  # noqa: PLC0415 - decoders are slow to import

            self.read(*(read.data for read in read_codes(frame.image)))

    def read(self, *codes: bytes) -> None:
        """What ``see`` does with the codes that it found in one frame: judge their bytes, if the scan screen is up."""
        self.tick()
        if self._screen.state is not State.SCANNING or not codes:
            return
        found: list[Proposal | TypeFirst] = []
        rejections: list[Rejected] = []
        for data in dict.fromkeys(codes):
            try:
                found.append(self._propose(data))
            except Rejected as rejected:
                rejections.append(rejected)
        if len(found) > 1:
            self._reject(Rejected(ErrorKind.SEVERAL, "Two challenges in view. Show one."))
        elif found:
            self._begin(found[0])
        else:
            # What is said about a code of ours helps more than what is said about a poster beside it.
            self._reject(min(rejections, key=lambda rejected: rejected.kind is ErrorKind.NOT_OURS))

    def tick(self) -> None:
        """Let time-outs happen that are due. Late ticks catch up: the result does not depend on how often one ticks."""
        self._drain()
        now = self._env.clock.monotonic()
        while self._deadline is not None and self._deadline <= now:
            due = self._deadline
            if self._screen.state is State.SCANNING:
                sentence = "There was no code in view. Try again."
                self._show(Event.TIME_OUT, Error(ErrorKind.SCAN_TIME_OUT, sentence), since=due)
            else:
                self._show(Event.TIME_OUT, Off(), since=due)

    def tamper(self) -> None:
        """Open the case: every key is erased at once, whatever the token was doing, and it never works again.

        Raises:
            MemoryFault: the store refuses; the token is dark all the same.
        """
        self.power_off()
        if self._memory.serial is not None:
            self._memory.zeroise()

    # The battery

    def _drain(self) -> None:
        """Take what the screen that is up has used since the last time. Late calls are right within that screen."""
        now = self._env.clock.monotonic()
        until = now if self._deadline is None else min(now, max(self._deadline, self._drained_until))
        self.battery.drain(until - self._drained_until, self._screen.state)
        self.battery.drain(now - until, State.OFF)
        self._drained_until = now
        if self.battery.is_dead:
            self._clock.lose()
            self.power_off()

    def _feed_write(self) -> None:
        """Before each write to the memory: brown out where the battery, or a fault, says so. Raises PowerLost."""
        if self.writes_before_a_cut is not None:
            self.writes_before_a_cut -= 1
            if self.writes_before_a_cut < 0:
                self.writes_before_a_cut = None
                raise PowerLost
        if not self.battery.can_write:
            raise PowerLost

    # What keys do

    def _push(self, button: Button) -> None:
        event = ok_event(self._screen) if button is Button.OK else Event.CANCEL
        step = move(self._screen.state, event)
        match step.to if step else None:
            case State.OFF:
                self._show(event, Off())
            case State.IDLE:
                self._go_home(event)
            case State.SCANNING if not self._scans:
                self._start()
            case State.SCANNING:
                self._show(event, Scanning())
            case State.REVIEW:
                self._turn_page(event)
            case State.CODE if self._under_review is not None:
                self._confirm(self._under_review.proposal, event)
            case State.REFUSED:
                self._show(event, Refused())
            case State.MENU | State.NOTICE if isinstance(self._screen, Menu):
                self._use_menu(event, self._screen)

    def _hold(self, button: Button) -> None:
        if button is Button.OK and self._screen.state is State.IDLE:
            self._open_menu()
        elif button is Button.CANCEL and self._screen.state is State.MENU:
            self._show(Event.HOLD_CANCEL, self._idle())
        elif button is Button.CANCEL and self._under_review is not None:
            code = self._under_review.proposal.decline()
            if code is not None:
                self._show(Event.HOLD_CANCEL, Declined(self._grouped(code)))

    def _type(self, dialogue: _Dialogue, button: Button, *, held: bool) -> None:
        match dialogue.digits.press(button, held=held):
            case Outcome.CHANGED:
                self._show(Event.DIGITS_WANTED, dialogue.screen())
            case Outcome.DONE:
                dialogue.then(dialogue.digits.text)
            case Outcome.GIVEN_UP if self._is_open:
                self._show(Event.GIVEN_UP, self._idle())
            case Outcome.GIVEN_UP:
                self.power_off()

    @property
    def _scans(self) -> bool:
        """Whether OK begins with the camera: on the idle screen, and to try again."""
        return self._screen.state is State.LOCKED or self._start_label == menu.SCAN

    @property
    def _start_label(self) -> str:
        return self._personalities[0].start_label if self._personalities else menu.SCAN

    def _start(self) -> None:
        """What OK begins on a model that does not begin with its camera: the one thing there is, or a list of them."""
        if self._screen.state is State.ERROR:
            self._go_home(Event.CANCEL)
            return
        offers = self._personalities[0].offers()
        if len(offers) == 1:
            self._begin_offer(offers[0])
        else:
            self._open_menu()

    def _open_menu(self) -> None:
        offers = tuple(offer for personality in self._personalities for offer in personality.offers())
        labels = tuple(offer.label for offer in offers) + tuple(item.label for item in menu.items(self._profile))
        if move(self._screen.state, Event.HOLD_OK) is not None:
            self._offers = offers
            self._show(Event.HOLD_OK, Menu(labels, 0))

    def _begin_offer(self, offer: Offer) -> None:
        found = offer.begin()
        if isinstance(found, TypeFirst):
            self._ask(found.question, partial(self._open, found))
        else:
            self._confirm(found, Event.PASSCODE)

    def _use_menu(self, event: Event, screen: Menu) -> None:
        if event is Event.CANCEL:
            self._show(event, Menu(screen.items, (screen.chosen + 1) % len(screen.items)))
        elif screen.chosen < len(self._offers):
            self._begin_offer(self._offers[screen.chosen])
        else:
            self._do(event, menu.items(self._profile)[screen.chosen - len(self._offers)].action)

    def _do(self, event: Event, action: menu.Action) -> None:
        match action:
            case menu.Action.SCAN:
                self._show(Event.CAMERA, Scanning())
            case menu.Action.INFO:
                self._show(event, Notice("About", menu.about(self._parts)))
            case menu.Action.SELF_TEST:
                self._show(event, Notice("Self-test", menu.self_test(self._parts)))
            case menu.Action.CHANGE_PIN | menu.Action.DURESS_PIN if self._pin is not None:
                self._pin.change(duress=action is menu.Action.DURESS_PIN)
            case menu.Action.ERASE:
                question = Question("Erase", f"Type {menu.ERASE_WORD} to erase all", 4, 4, hidden=False)
                self._ask(question, self._erase)
            case menu.Action.BACK:
                self._show(Event.GIVEN_UP, self._idle())

    # What stands between the user and the token

    @property
    def _is_open(self) -> bool:
        return self._pin is None or self._session.signed_in

    def _go_home(self, event: Event) -> None:
        """To the idle screen by ``event``, or to what stands before it: setting, typing or unlocking the PIN."""
        if not self._personalities:
            self._personalities = personalities_of(self._parts)
        if self._pin is None or not self._pin.stands_before():
            self._show_idle(event)

    def _ask(self, question: Question, then: Callable[[str], None]) -> None:
        # In place before the screen is up, as whoever watches the screen may press keys at once.
        dialogue = _Dialogue(TypedDigits(question, wheel=not self._profile.behaviour.keypad), then)
        if move(self._screen.state, Event.DIGITS_WANTED) is not None:
            self._dialogue = dialogue
            self._show(Event.DIGITS_WANTED, dialogue.screen())

    def _show_idle(self, event: Event) -> None:
        self._show(event, self._idle())

    def _show_fault(self) -> None:
        sentence = "The memory cannot keep this: no code."
        self._show(Event.BROKEN, Error(ErrorKind.MEMORY_FAULT, sentence))

    def _erase(self, typed: str) -> None:
        if typed != menu.ERASE_WORD:
            self._show(Event.GIVEN_UP, self._idle())
            return
        try:
            self._memory.wipe()
        except MemoryFault:
            self._show_fault()
        else:
            self.power_off()

    # From what the camera saw to the code

    def _propose(self, data: bytes) -> Proposal | TypeFirst:
        refused = Rejected(ErrorKind.NOT_OURS, "This token reads no codes.")
        for personality in self._personalities:
            try:
                found = personality.propose(data)
            except Rejected as rejected:
                if rejected.kind is not ErrorKind.NOT_OURS:
                    raise
                refused = rejected
                continue
            self._check_locked(found)
            return found
        raise refused

    def _check_locked(self, found: Proposal | TypeFirst) -> None:
        """Refuse what may not be done while the PIN stands between the user and the token; and what is too old."""
        if not self._is_open and (isinstance(found, TypeFirst) or not found.while_locked):
            raise Rejected(ErrorKind.UNSUPPORTED, "The PIN is locked. This does not unlock it.")
        if not isinstance(found, TypeFirst):
            found.check_time()

    def _begin(self, found: Proposal | TypeFirst) -> None:
        if isinstance(found, TypeFirst):
            self._ask(found.question, partial(self._open, found))
        else:
            self._begin_review(found)

    def _open(self, locked: TypeFirst, typed: str) -> None:
        try:
            proposal = locked.propose(typed)
            self._check_locked(proposal)
        except Rejected as rejected:
            self._reject(rejected)
        except MemoryFault:
            self._show_fault()
        else:
            if proposal.entries:
                self._begin_review(proposal)
            else:
                self._confirm(proposal, Event.DIGITS_TYPED)

    def _begin_review(self, proposal: Proposal) -> None:
        try:
            pages = paginate(proposal.entries, self._profile.panel, one_a_page=proposal.one_entry_a_page)
        except Unrenderable:
            self._reject(Rejected(ErrorKind.UNRENDERABLE, "It has letters that this token cannot show."))
            return
        self._under_review = _UnderReview(proposal, pages)
        self._show(Event.CHALLENGE, self._under_review.screen(1))

    def _turn_page(self, event: Event) -> None:
        if self._under_review is not None and isinstance(self._screen, Review):
            self._show(event, self._under_review.screen(self._screen.page + 1))

    def _confirm(self, proposal: Proposal, event: Event) -> None:
        """The user has read all there is: by ``event`` to a code, or first to the PIN."""
        match proposal.pin_use:
            case PinUse.NONE:
                self._answer(event, proposal, Confirmation(duress=self._session.duress))
            case PinUse.TOKEN if self._pin is not None:
                self._pin.ask("PIN", partial(self._confirm_with_own_pin, proposal))
            case PinUse.SERVER:
                policy = self._profile.pin
                least, most = (policy.least_digits, policy.most_digits) if policy else ANY_PIN
                self._ask(Question("PIN", "Type your PIN", least, most), partial(self._confirm_with_any_pin, proposal))

    def _confirm_with_own_pin(self, proposal: Proposal, pin: str) -> None:
        if self._pin is not None and self._pin.check(pin, partial(self._confirm_with_own_pin, proposal)):
            self._answer(Event.DIGITS_TYPED, proposal, Confirmation(duress=self._session.duress))

    def _confirm_with_any_pin(self, proposal: Proposal, pin: str) -> None:
        self._answer(Event.DIGITS_TYPED, proposal, Confirmation(pin=pin, duress=self._session.duress))

    def _answer(self, event: Event, proposal: Proposal, confirmation: Confirmation) -> None:
        """Compute and show the code. What must be durable is so before the code is seen."""
        try:
            proposal.check_time()  # it may have ended while it was read
            answer = proposal.answer(confirmation)
        except Rejected as rejected:
            self._reject(rejected)
        except MemoryFault:
            self._show_fault()
        else:
            self._personalities = personalities_of(self._parts)  # their keys may have come or gone
            self._show(event, Code(self._grouped(answer.digits), answer.purpose, answer.already_shown))

    def _grouped(self, digits: str) -> str:
        """Groups of the profile's length at most, as even as they can be: 4+4, 4+3, 3+3."""
        count = -(-len(digits) // self._profile.behaviour.digits_per_group)
        size, longer = divmod(len(digits), count)
        ends = [size * group + min(group, longer) for group in range(count + 1)]
        return " ".join(digits[start:end] for start, end in pairwise(ends))

    # Screens

    def _reject(self, rejected: Rejected) -> None:
        self._show(Event.REJECTED, Error(rejected.kind, rejected.sentence))

    def _idle(self) -> Idle:
        keys = self._memory.identity or self._memory.contents.slots
        note = "Battery low" if self.battery.is_low else "" if keys else "Not activated"
        return Idle(self._profile.name, self._memory.serial or "", note, self._start_label)

    @contextmanager
    def _powered(self) -> Iterator[None]:
        """Go dark where the power is lost on the way."""
        try:
            yield
        except PowerLost:
            self.power_off()

    def _show(self, event: Event, screen: Screen, *, since: float | None = None) -> None:
        """Make the move that the table allows, and no other; forget what the new screen does not need."""
        step = move(self._screen.state, event)
        if step is None:
            return
        if step.to is not screen.state:
            raise AssertionError(f"{event} in {self._screen.state} leads to {step.to}, not to {screen.state}")
        if step.to is not State.REVIEW:
            self._under_review = None
        if step.to is not State.TYPING:
            self._dialogue = None
        if step.to is not State.MENU:
            self._offers = ()
        if step.to is State.OFF:
            self._personalities = ()
            self._session.end()
        self._screen = screen
        self._deadline = self._deadline_of(screen, self._env.clock.monotonic() if since is None else since)
        if self._on_screen is not None:
            self._on_screen(screen)

    def _deadline_of(self, screen: Screen, since: float) -> float | None:
        behaviour = self._profile.behaviour
        if screen.state is State.OFF:
            return None
        return since + (
            behaviour.scan_time_out_seconds if screen.state is State.SCANNING else behaviour.auto_off_seconds
        )
