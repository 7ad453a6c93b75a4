"""The screen that is up, what its keys act on, and when it times out."""

from collections.abc import Callable
from dataclasses import dataclass, field

from emulators.env import Clock
from emulators.hwtoken.keys import Button
from emulators.hwtoken.personalities.base import Rejected
from emulators.hwtoken.profile import Profile
from emulators.hwtoken.screens import Error, ErrorKind, Event, Idle, Off, Screen, State, Typing, move
from emulators.hwtoken.session import Session
from emulators.hwtoken.typed import Outcome, Question, TypedDigits


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Digits being typed, and what becomes of them."""

    digits: TypedDigits
    then: Callable[[str], None] = field(repr=False)

    def screen(self) -> Typing:
        """As they stand."""
        digits = self.digits
        return Typing(digits.question.title, digits.question.prompt, digits.shown, digits.wheel, digits.enough)


class Panel:
    """The display of one token as its firmware sees it: a screen at a time, and no way between two but the table's.

    Args:
        clock: for time-outs.
        profile: which model it is.
        session: ends when the panel goes dark.
        idle: makes the idle screen.
        on_screen: called with each new screen once it is up; may press buttons.
    """

    def __init__(
        self,
        clock: Clock,
        profile: Profile,
        session: Session,
        idle: Callable[[], Idle],
        on_screen: Callable[[Screen], None] | None,
    ) -> None:
        self._clock = clock
        self._profile = profile
        self._session = session
        self._idle = idle
        self._on_screen = on_screen
        self.screen: Screen = Off()
        self.deadline: float | None = None
        """When the screen times out, in monotonic seconds; None while it is dark."""
        self.behind: object = None
        """What the keys of this screen act on. It goes when the screen does."""
        self._due: float | None = None

    def show(self, event: Event, screen: Screen, behind: object = None) -> None:
        """Make the move that the table allows, and no other: where it has none, nothing happens.

        Args:
            event: what happened.
            screen: what is shown then.
            behind: what its keys act on.
        """
        step = move(self.screen.state, event)
        if step is None:
            return
        if step.to is not screen.state:
            raise AssertionError(f"{event} in {self.screen.state} leads to {step.to}, not to {screen.state}")
        if step.to is State.OFF:
            self._session.end()
        # In place before the screen is announced, as whoever watches it may press keys at once.
        self.screen, self.behind = screen, behind
        self.deadline = self._deadline_of(screen, self._clock.monotonic() if self._due is None else self._due)
        if self._on_screen is not None:
            self._on_screen(screen)

    def show_idle(self, event: Event) -> None:
        """Go to the idle screen."""
        self.show(event, self._idle())

    def show_fault(self) -> None:
        """Say that the memory refuses."""
        self.show(Event.BROKEN, Error(ErrorKind.MEMORY_FAULT, "The memory cannot keep this: no code."))

    def reject(self, rejected: Rejected) -> None:
        """Say why there is no code."""
        self.show(Event.REJECTED, Error(rejected.kind, rejected.sentence))

    def go_dark(self) -> None:
        """Whatever is up."""
        self.show(Event.SWITCHED_OFF, Off())

    def ask(self, question: Question, then: Callable[[str], None]) -> None:
        """Have digits typed; ``then`` gets them."""
        dialogue = Dialogue(TypedDigits(question, wheel=not self._profile.behaviour.keypad), then)
        self.show(Event.DIGITS_WANTED, dialogue.screen(), dialogue)

    def type(self, dialogue: Dialogue, button: Button, *, held: bool) -> None:
        """What ``button`` does while digits are typed."""
        match dialogue.digits.press(button, held=held):
            case Outcome.CHANGED:
                self.show(Event.DIGITS_WANTED, dialogue.screen(), dialogue)
            case Outcome.DONE:
                dialogue.then(dialogue.digits.text)
            case Outcome.GIVEN_UP if self._session.is_open:
                self.show_idle(Event.GIVEN_UP)
            case Outcome.GIVEN_UP:
                self.go_dark()

    def time_out(self, give_up_waiting: Callable[[], None]) -> None:
        """Let time-outs happen that are due, each as of when it was: the next screen's time begins there.

        Args:
            give_up_waiting: ends the waiting screen.
        """
        now = self._clock.monotonic()
        try:
            while self.deadline is not None and self.deadline <= now:
                self._due = self.deadline
                if self.screen.state is State.SCANNING:
                    sentence = "There was no code in view. Try again."
                    self.show(Event.TIME_OUT, Error(ErrorKind.SCAN_TIME_OUT, sentence))
                elif self.screen.state is State.WAITING:
                    waited = self.screen
                    give_up_waiting()
                    if self.screen is waited:
                        self.show(Event.TIME_OUT, Off())
                else:
                    self.show(Event.TIME_OUT, Off())
        finally:
            self._due = None

    def _deadline_of(self, screen: Screen, since: float) -> float | None:
        behaviour = self._profile.behaviour
        if screen.state is State.OFF:
            return None
        waits = screen.state in {State.SCANNING, State.WAITING}
        return since + (behaviour.scan_time_out_seconds if waits else behaviour.auto_off_seconds)
