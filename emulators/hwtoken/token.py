"""The QR token: frames, button presses and time in; screens out.

The device opens nothing, sleeps never and has no thread. Whoever runs it shows it frames and ticks it now and then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise
from typing import TYPE_CHECKING

from emulators.env import Env
from emulators.hwtoken.layout import Unrenderable, paginate
from emulators.hwtoken.memory import MemoryFault, TokenMemory
from emulators.hwtoken.personalities.base import Personality, Proposal, Rejected
from emulators.hwtoken.personalities.otq1 import Otq1Personality
from emulators.hwtoken.profile import Profile
from emulators.hwtoken.screens import (
    Code,
    Error,
    ErrorKind,
    Event,
    Idle,
    Line,
    Off,
    Refused,
    Review,
    Scanning,
    Screen,
    State,
    move,
    ok_event,
)

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Frame


class Button(Enum):
    """The two buttons."""

    OK = auto()
    CANCEL = auto()


@dataclass(frozen=True, slots=True)
class _UnderReview:
    proposal: Proposal
    pages: tuple[tuple[Line, ...], ...]

    def screen(self, page: int) -> Review:
        return Review(self.proposal.title, page, len(self.pages), self.pages[page - 1])


class QrToken:
    """An offline QR token, dark until it is powered on.

    Args:
        env: clock and randomness.
        profile: which model it is.
        memory: what survives power-off: serial, seed, replay cache.
        on_screen: called with each new screen once it is up; may press buttons.
    """

    def __init__(
        self, env: Env, profile: Profile, memory: TokenMemory, on_screen: Callable[[Screen], None] | None = None
    ) -> None:
        self._env = env
        self._profile = profile
        self._memory = memory
        self._on_screen = on_screen
        self._screen: Screen = Off()
        self._deadline: float | None = None
        self._personality: Personality | None = None
        self._under_review: _UnderReview | None = None

    @property
    def screen(self) -> Screen:
        """What is on the panel."""
        return self._screen

    @property
    def profile(self) -> Profile:
        """Which model it is."""
        return self._profile

    def power_on(self) -> None:
        """Boot to the idle screen, or to an error where there is no seed. Nothing of an earlier session comes back."""
        if move(self._screen.state, Event.SWITCHED_ON) is None:
            return
        identity = self._memory.identity
        if identity is None:
            sentence = "This token has no key yet. It must be provisioned."
            self._show(Event.SWITCHED_ON_UNFIT, Error(ErrorKind.NOT_PROVISIONED, sentence))
            return
        self._personality = Otq1Personality(identity.serial, identity.seed)
        self._show(Event.SWITCHED_ON, self._idle())

    def power_off(self) -> None:
        """Take the power away. Keys, challenge and code leave the working memory."""
        self._show(Event.SWITCHED_OFF, Off())

    def press(self, button: Button) -> None:
        """Press and release ``button``. Where it has no meaning, nothing happens."""
        self.tick()
        event = ok_event(self._screen) if button is Button.OK else Event.CANCEL
        step = move(self._screen.state, event)
        match step.to if step else None:
            case State.OFF:
                self._show(event, Off())
            case State.IDLE:
                self._show(event, self._idle())
            case State.SCANNING:
                self._show(event, Scanning())
            case State.REVIEW:
                self._turn_page(event)
            case State.CODE:
                self._answer(event)
            case State.REFUSED:
                self._show(event, Refused())

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
        if self._personality is None or self._screen.state is not State.SCANNING or not codes:
            return
        proposals: list[Proposal] = []
        rejections: list[Rejected] = []
        for data in dict.fromkeys(codes):
            try:
                proposals.append(self._propose(self._personality, data))
            except Rejected as rejected:
                rejections.append(rejected)
        if len(proposals) > 1:
            self._reject(Rejected(ErrorKind.SEVERAL, "Two challenges in view. Show one."))
        elif proposals:
            self._begin_review(proposals[0])
        else:
            self._reject(rejections[0])

    def tick(self) -> None:
        """Let time-outs happen that are due. Late ticks catch up: the result does not depend on how often one ticks."""
        now = self._env.clock.monotonic()
        while self._deadline is not None and self._deadline <= now:
            due = self._deadline
            if self._screen.state is State.SCANNING:
                sentence = "There was no code in view. Try again."
                self._show(Event.TIME_OUT, Error(ErrorKind.SCAN_TIME_OUT, sentence), since=due)
            else:
                self._show(Event.TIME_OUT, Off(), since=due)

    def _propose(self, personality: Personality, data: bytes) -> Proposal:
        proposal = personality.propose(data, has_clock=self._profile.behaviour.has_rtc)
        proposal.check_time(self._now())
        return proposal

    def _begin_review(self, proposal: Proposal) -> None:
        try:
            pages = paginate(proposal.entries, self._profile.display, one_a_page=proposal.one_entry_a_page)
        except Unrenderable:
            self._reject(Rejected(ErrorKind.UNRENDERABLE, "It has letters that this token cannot show."))
            return
        self._under_review = _UnderReview(proposal, pages)
        self._show(Event.CHALLENGE, self._under_review.screen(1))

    def _turn_page(self, event: Event) -> None:
        if self._under_review is not None and isinstance(self._screen, Review):
            self._show(event, self._under_review.screen(self._screen.page + 1))

    def _answer(self, event: Event) -> None:
        """Compute and show the code: the only place that does. The replay cache is on disk before the code is seen."""
        if self._under_review is None or event is not Event.OK_ON_LAST_PAGE:
            return
        proposal = self._under_review.proposal
        try:
            proposal.check_time(self._now())  # it may have ended while it was read
            already_shown = self._memory.remember(proposal.challenge_id)
        except Rejected as rejected:
            self._reject(rejected)
        except MemoryFault:
            sentence = "The memory cannot keep this: no code."
            self._show(Event.BROKEN, Error(ErrorKind.MEMORY_FAULT, sentence))
        else:
            self._show(event, Code(self._grouped(proposal.compute_code()), proposal.purpose, already_shown))

    def _grouped(self, digits: str) -> str:
        """Groups of the profile's length at most, as even as they can be: 4+4, 4+3, 3+3."""
        count = -(-len(digits) // self._profile.behaviour.digits_per_group)
        size, longer = divmod(len(digits), count)
        ends = [size * group + min(group, longer) for group in range(count + 1)]
        return " ".join(digits[start:end] for start, end in pairwise(ends))

    def _reject(self, rejected: Rejected) -> None:
        self._show(Event.REJECTED, Error(rejected.kind, rejected.sentence))

    def _idle(self) -> Idle:
        identity = self._memory.identity
        return Idle(self._profile.name, identity.serial if identity else "")

    def _now(self) -> float | None:
        return self._env.clock.time() if self._profile.behaviour.has_rtc else None

    def _show(self, event: Event, screen: Screen, *, since: float | None = None) -> None:
        """Make the move that the table allows, and no other; forget what the new screen does not need."""
        step = move(self._screen.state, event)
        if step is None:
            return
        if step.to is not screen.state:
            raise AssertionError(f"{event} in {self._screen.state} leads to {step.to}, not to {screen.state}")
        if step.to is not State.REVIEW:
            self._under_review = None
        if step.to is State.OFF:
            self._personality = None
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
