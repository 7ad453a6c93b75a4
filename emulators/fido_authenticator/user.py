"""The person at the key: what a command asks of them, and who answers: nobody, a script, or somebody by hand.

A command yields a request and is resumed with the ``Decision``. Whoever runs the command asks the ``User`` port and
turns the time until the answer into keepalives and a time-out.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Protocol


class Decision(Enum):
    """What the user did.

    ``GRANTED``: all that was asked, and right: a touch as long as it must be, a finger that is enrolled, the right
    passcode. ``MISMATCH``: tried, but with a strange finger or a wrong passcode. ``DENIED``: refused.
    """

    GRANTED = "granted"
    DENIED = "denied"
    MISMATCH = "mismatch"


class SampleQuality(IntEnum):
    """What the sensor makes of a finger: lastEnrollSampleStatus (CTAP 2.3 §6.7)."""

    GOOD = 0x00
    TOO_HIGH = 0x01
    TOO_LOW = 0x02
    TOO_LEFT = 0x03
    TOO_RIGHT = 0x04
    TOO_FAST = 0x05
    TOO_SLOW = 0x06
    POOR_QUALITY = 0x07
    TOO_SKEWED = 0x08
    TOO_SHORT = 0x09
    MERGE_FAILURE = 0x0A
    EXISTS = 0x0B
    NO_USER_ACTIVITY = 0x0D
    NO_USER_PRESENCE_TRANSITION = 0x0E


@dataclass(frozen=True, slots=True)
class Finger:
    """A finger on the sensor: ``name`` tells fingers apart."""

    name: str
    quality: SampleQuality = SampleQuality.GOOD


@dataclass(frozen=True, slots=True)
class Touch:
    """A finger on the key for ``seconds``."""

    seconds: float


Answer = Decision | Finger | Touch
"""What comes back to a command that asked."""


class Prompt(Enum):
    """Why the key blinks."""

    REGISTER = "register"
    EXCLUDED = "excluded"
    LOG_IN = "log in"
    RESET = "reset"
    SELECT = "select"
    TOKEN = "allow a host to act"  # noqa: S105 - words for people
    ENROLL = "enroll a finger"


@dataclass(frozen=True, slots=True)
class UserPresence:
    """A command asks for a touch. ``rp_id`` and ``user_name`` are what a key with a display would show.

    The touch must last ``seconds``, and the key waits for it ``timeout`` seconds (None: as its profile says).
    """

    prompt: Prompt
    rp_id: str = ""
    user_name: str = ""
    seconds: float = 0.0
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class UserVerification:
    """A command asks for an enrolled finger, or for the passcode on the key's own pad."""

    prompt: Prompt
    rp_id: str = ""
    user_name: str = ""
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class FingerSample:
    """A command asks for one more sample of the finger that is being enrolled; ``remaining`` counts this one."""

    remaining: int
    timeout: float | None = None
    prompt: Prompt = Prompt.ENROLL
    rp_id: str = ""
    user_name: str = ""


UserRequest = UserPresence | UserVerification | FingerSample
"""All that a command may ask of the user."""


class User(Protocol):
    """Answers one request at a time. Times are seconds of ``Env.clock.monotonic``."""

    def begin(self, request: UserRequest, now: float) -> None:
        """The key starts to blink at ``now``."""
        ...

    def decision(self, now: float) -> Answer | None:
        """What the user has done since ``begin``; None while nothing was done."""
        ...

    def next_change(self) -> float | None:
        """When ``decision`` will change by itself, if that is known."""
        ...

    def end(self) -> None:
        """The key stops blinking: answered, cancelled or timed out."""
        ...

    def listen(self, woken: Callable[[], None]) -> None:
        """Have ``woken`` called, from any thread, when ``decision`` may have changed at an unforeseen time."""
        ...

    def unlisten(self, woken: Callable[[], None]) -> None:
        """No longer call ``woken``."""
        ...


class AutomaticUser:
    """Answers every request at once the same way: a touch, a refusal, or (None) never: nobody is there."""

    def __init__(self, decision: Answer | None = Decision.GRANTED) -> None:
        self._decision = decision

    def begin(self, request: UserRequest, now: float) -> None:
        """Nothing to prepare."""

    def decision(self, now: float) -> Answer | None:  # noqa: ARG002 - the port passes the time
        """Always the same."""
        return self._decision

    def next_change(self) -> float | None:
        """It never changes."""
        return None

    def end(self) -> None:
        """Nothing to tidy."""

    def listen(self, woken: Callable[[], None]) -> None:
        """It never changes, so nobody is woken."""

    def unlisten(self, woken: Callable[[], None]) -> None:
        """Nobody is woken."""


@dataclass(frozen=True, slots=True)
class Act:
    """One answer of a scripted user: ``decision`` after ``delay`` seconds, or None: the request is left to time out."""

    decision: Answer | None = Decision.GRANTED
    delay: float = 0.0


class ScriptedUser:
    """Answers request after request from a list; when it is used up, the user has left."""

    def __init__(self, acts: Iterable[Act]) -> None:
        self._acts = deque(acts)
        self._current = Act(None)
        self._due = 0.0
        self.requests: list[UserRequest] = []
        """All requests so far, for a test to look at."""

    def begin(self, request: UserRequest, now: float) -> None:
        """Take the next act."""
        self.requests.append(request)
        self._current = self._acts.popleft() if self._acts else Act(None)
        self._due = now + self._current.delay

    def decision(self, now: float) -> Answer | None:
        """The act's decision once its delay has passed."""
        return self._current.decision if now >= self._due else None

    def next_change(self) -> float | None:
        """When the delay has passed."""
        return None if self._current.decision is None else self._due

    def end(self) -> None:
        """Nothing to tidy."""

    def listen(self, woken: Callable[[], None]) -> None:
        """Every change is foreseen, so nobody is woken."""

    def unlisten(self, woken: Callable[[], None]) -> None:
        """Nobody is woken."""


class HandUser:
    """Somebody outside answers: ``touch``, ``deny`` and ``answer`` may be called from any thread."""

    def __init__(self) -> None:
        self._pending: UserRequest | None = None
        self._decision: Answer | None = None
        self._listeners: list[Callable[[], None]] = []
        self.on_request: Callable[[UserRequest], object] | None = None
        """Called with each request when the key starts to blink; it may answer on the spot."""

    @property
    def pending(self) -> UserRequest | None:
        """What the key asks for right now."""
        return self._pending

    def touch(self) -> bool:
        """Touch the key; False if it was not asking, and then the touch has no effect."""
        return self.answer(Decision.GRANTED)

    def deny(self) -> bool:
        """Refuse what the key asks; False if it was not asking."""
        return self.answer(Decision.DENIED)

    def answer(self, decision: Answer) -> bool:
        """Do ``decision``, such as laying a certain finger on the sensor; False if the key was not asking."""
        if self._pending is None:
            return False
        self._decision = decision
        for woken in tuple(self._listeners):
            woken()
        return True

    def begin(self, request: UserRequest, now: float) -> None:  # noqa: ARG002 - the port passes the time
        """Wait for a hand; touches from before do not count."""
        self._decision = None
        self._pending = request
        if self.on_request is not None:
            self.on_request(request)

    def decision(self, now: float) -> Answer | None:  # noqa: ARG002 - the port passes the time
        """What the hand has done."""
        return self._decision

    def next_change(self) -> float | None:
        """Nobody knows."""
        return None

    def end(self) -> None:
        """No longer asking."""
        self._pending = None

    def listen(self, woken: Callable[[], None]) -> None:
        """Call ``woken`` after each answer."""
        self._listeners.append(woken)

    def unlisten(self, woken: Callable[[], None]) -> None:
        """No longer call ``woken``."""
        self._listeners.remove(woken)
