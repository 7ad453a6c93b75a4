"""What the token can show, and the moves between its screens as one table.

A screen is a value: everything that is on the panel, nothing that is not. ``display.render`` draws it, a test compares it.
"""

from dataclasses import dataclass, field
from enum import Enum, auto


class State(Enum):
    """Where the device is. Each screen belongs to one state; the table below knows states only."""

    OFF = auto()
    IDLE = auto()
    MENU = auto()
    NOTICE = auto()
    TYPING = auto()
    LOCKED = auto()
    SCANNING = auto()
    REVIEW = auto()
    CODE = auto()
    REFUSED = auto()
    DECLINED = auto()
    ERROR = auto()
    FAULT = auto()
    WAITING = auto()


class Event(Enum):
    """What can happen to the device, as far as screens are concerned."""

    SWITCHED_ON = auto()
    SWITCHED_ON_UNFIT = auto()  # there is no key to work with
    SWITCHED_OFF = auto()
    OK = auto()
    OK_ON_LAST_PAGE = auto()  # only in a review: OK with nothing left unread
    CANCEL = auto()
    HOLD_OK = auto()
    HOLD_CANCEL = auto()
    CAMERA = auto()  # the user wants to scan
    PASSCODE = auto()  # the user wants a code that no challenge asks for
    DIGITS_WANTED = auto()  # there is something to type, for the first time or again
    DIGITS_TYPED = auto()  # a code is due once what was typed is accepted
    UNLOCKED = auto()  # the PIN was right, or is not needed any more
    GIVEN_UP = auto()  # the user does not want to type
    BLOCKED = auto()  # the PIN is locked
    SENDING = auto()  # something has to go over the network first
    PUSHED = auto()  # the server asks, over the network
    TOLD = auto()  # there is something to say that is no error
    CHOICE = auto()  # several accounts could answer, or can be looked at
    CHALLENGE = auto()  # the camera saw a challenge that this token can answer
    REJECTED = auto()  # what was seen, or the challenge under review, must not be answered
    BROKEN = auto()  # the memory refused to keep what must be kept
    TIME_OUT = auto()  # the screen has been up for as long as the profile allows


class ErrorKind(Enum):
    """Why there is no code. Each kind has its own title on the panel."""

    NOT_OURS = "not ours"
    DAMAGED = "damaged"
    UNSUPPORTED = "unsupported"
    NOT_FOR_THIS_TOKEN = "not for this token"  # noqa: S105 - a kind of error, no secret
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    UNRENDERABLE = "unrenderable"
    SEVERAL = "several challenges"
    SCAN_TIME_OUT = "scan time-out"
    NOT_PROVISIONED = "not provisioned"
    MEMORY_FAULT = "memory fault"
    ALREADY_DONE = "already done"
    WRONG_ACTIVATION_CODE = "wrong activation code"
    TAMPERED = "tampered"
    NO_ANSWER = "no answer"


FAULTS = frozenset({ErrorKind.NOT_PROVISIONED, ErrorKind.MEMORY_FAULT, ErrorKind.TAMPERED})
"""Errors that another scan cannot mend."""


@dataclass(frozen=True, slots=True)
class Off:
    """A dark panel."""

    @property
    def state(self) -> State:
        """The table's name for this screen."""
        return State.OFF


@dataclass(frozen=True, slots=True)
class Idle:
    """Ready: says which device this is."""

    model: str
    serial: str
    note: str = field(default="", repr=False)
    """What is not as usual: not activated, low battery."""
    start: str = field(default="Scan", repr=False)
    """What OK begins."""

    @property
    def state(self) -> State:
        """The table's name for this screen."""
        return State.IDLE


@dataclass(frozen=True, slots=True)
class Scanning:
    """The camera is on; the only screen that looks at frames."""

    @property
    def state(self) -> State:
        """The table's name for this screen."""
        return State.SCANNING


class Style(Enum):
    """How a line of a review is set."""

    LABEL = auto()
    VALUE = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a review page. ``broken``: the next line goes on in the middle of a word; the panel marks it."""

    text: str
    style: Style
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """One page (``page`` counts from 1 to ``pages``) of what the code will stand for."""

    title: str
    page: int
    pages: int
    lines: tuple[Line, ...]

    @property
    def state(self) -> State:
        """The table's name for this screen."""
        return State.REVIEW

    @property
    def is_last(self) -> bool:
        """Whether nothing is left to read, so that OK confirms."""
        return self.page == self.pages


@dataclass(frozen=True, slots=True)
class Code:
    """The answer: ``code`` in groups as it is read aloud ("9122 1436"), and what typing it does."""

    code: str
    purpose: str
    already_shown: bool = False

    @property
    def state(self) -> State:
        """The table's name for this screen."""
        return State.CODE

    @property
    def digits(self) -> str:
        """The code as it is typed."""
        return self.code.replace(" ", "")


@dataclass(frozen=True, slots=True)
class Menu:
    """A list with one entry chosen (``chosen`` counts from 0)."""

    items: tuple[str, ...]
    chosen: int
    title: str = "Menu"

    @property
    def state(self) -> State:
        """The table's name for this screen."""
        return State.MENU


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know, in short sentences or lines of the device's own."""

    title: str
    sentences: tuple[str, ...]

    @property
    def state(self) -> State:
        """The table's name for this screen."""
        return State.NOTICE


@dataclass(frozen=True, slots=True)
class Typing:
    """Digits are being typed: ``shown`` so far, as stars where they are secret.

    ``wheel`` is the position of the wheel on a model without a keypad: a digit, "<" to erase, "=" to finish.
    """

    title: str
    prompt: str
    shown: str
    wheel: str = ""
    enough: bool = False

    @property
    def state(self) -> State:
        """The table's name for this screen."""
        return State.TYPING


@dataclass(frozen=True, slots=True)
class Locked:
    """The PIN is locked; only the server can help."""

    serial: str

    @property
    def state(self) -> State:
        """The table's name for this screen."""
        return State.LOCKED


@dataclass(frozen=True, slots=True)
class Declined:
    """The user reports the challenge as fraud: ``code`` says so to the server."""

    code: str

    @property
    def state(self) -> State:
        """The table's name for this screen."""
        return State.DECLINED

    @property
    def digits(self) -> str:
        """The code as it is typed."""
        return self.code.replace(" ", "")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something is on its way over the network."""

    sentence: str

    @property
    def state(self) -> State:
        """The table's name for this screen."""
        return State.WAITING


@dataclass(frozen=True, slots=True)
class Refused:
    """The user refused; no code was computed."""

    @property
    def state(self) -> State:
        """The table's name for this screen."""
        return State.REFUSED


@dataclass(frozen=True, slots=True)
class Error:
    """There is no code, and ``sentence`` tells the user why in words that fit the smallest panel."""

    kind: ErrorKind
    sentence: str

    @property
    def state(self) -> State:
        """The table's name for this screen."""
        return State.FAULT if self.kind in FAULTS else State.ERROR


Screen = Off | Idle | Menu | Notice | Typing | Locked | Scanning | Review | Code | Refused | Declined | Error | Waiting


@dataclass(frozen=True, slots=True)
class Move:
    """Where an event leads, and the word above the button that causes it."""

    to: State
    label: str = ""


_OFF = {Event.TIME_OUT: Move(State.OFF), Event.SWITCHED_OFF: Move(State.OFF)}
_FAILED = {Event.REJECTED: Move(State.ERROR), Event.BROKEN: Move(State.FAULT)}
_OFFERS = {Event.PASSCODE: Move(State.CODE), Event.DIGITS_WANTED: Move(State.TYPING), **_FAILED}
"""What a token without a challenge before its camera can do: a passcode, or a challenge to type."""
_HOME = {Event.DIGITS_WANTED: Move(State.TYPING), Event.BLOCKED: Move(State.LOCKED)}
"""Instead of to the idle screen, where the PIN has not been typed yet, or is locked."""
_READ = {Event.OK: Move(State.IDLE, "Done"), **_HOME, **_OFF}

MOVES = {
    State.OFF: {
        Event.SWITCHED_ON: Move(State.IDLE),
        Event.SWITCHED_ON_UNFIT: Move(State.FAULT),
        **_HOME,
    },
    State.IDLE: {
        Event.OK: Move(State.SCANNING, "Scan"),
        Event.CANCEL: Move(State.OFF, "Off"),
        Event.HOLD_OK: Move(State.MENU),
        Event.PUSHED: Move(State.REVIEW),
        Event.GIVEN_UP: Move(State.IDLE),
        **_OFFERS,
        **_OFF,
    },
    State.MENU: {
        Event.OK: Move(State.NOTICE, "Select"),
        Event.CANCEL: Move(State.MENU, "Next"),
        Event.HOLD_CANCEL: Move(State.IDLE),
        Event.GIVEN_UP: Move(State.IDLE),
        Event.CHOICE: Move(State.MENU),
        Event.CAMERA: Move(State.SCANNING),
        Event.CHALLENGE: Move(State.REVIEW),
        **_OFFERS,
        **_OFF,
    },
    State.NOTICE: _READ,
    State.TYPING: {
        Event.UNLOCKED: Move(State.IDLE),
        Event.GIVEN_UP: Move(State.IDLE),
        Event.TOLD: Move(State.NOTICE),
        Event.CHALLENGE: Move(State.REVIEW),
        Event.DIGITS_TYPED: Move(State.CODE),
        Event.SENDING: Move(State.WAITING),
        **_HOME,
        **_FAILED,
        **_OFF,
    },
    State.LOCKED: {
        Event.OK: Move(State.SCANNING, "Unlock"),
        Event.CANCEL: Move(State.OFF, "Off"),
        **_OFF,
    },
    State.SCANNING: {
        Event.CHOICE: Move(State.MENU),
        Event.CHALLENGE: Move(State.REVIEW),
        Event.SENDING: Move(State.WAITING),
        Event.CANCEL: Move(State.IDLE, "Stop"),
        **_HOME,
        **_FAILED,
        **_OFF,
        Event.TIME_OUT: Move(State.ERROR),
    },
    State.REVIEW: {
        Event.OK: Move(State.REVIEW, "Next"),
        Event.OK_ON_LAST_PAGE: Move(State.CODE, "Confirm"),
        Event.CANCEL: Move(State.REFUSED, "Refuse"),
        Event.HOLD_CANCEL: Move(State.DECLINED),
        Event.SENDING: Move(State.WAITING),
        Event.DIGITS_WANTED: Move(State.TYPING),
        **_FAILED,
        **_OFF,
    },
    State.WAITING: {
        Event.GIVEN_UP: Move(State.IDLE),
        Event.CANCEL: Move(State.IDLE, "Stop"),
        Event.SENDING: Move(State.WAITING),
        Event.CHALLENGE: Move(State.REVIEW),
        Event.PASSCODE: Move(State.CODE),
        Event.TOLD: Move(State.NOTICE),
        **_HOME,
        **_FAILED,
        **_OFF,
    },
    State.CODE: _READ,
    State.REFUSED: _READ,
    State.DECLINED: _READ,
    State.ERROR: {
        Event.OK: Move(State.SCANNING, "Retry"),
        Event.CANCEL: Move(State.IDLE, "Back"),
        **_HOME,
        **_OFF,
    },
    State.FAULT: {
        Event.CANCEL: Move(State.OFF, "Off"),
        **_OFF,
    },
}
"""Every move there is. What is not here does not happen: the event is ignored and nothing changes."""


def move(at: State, event: Event) -> Move | None:
    """The move that ``event`` causes in state ``at``, or None where it is ignored."""
    return MOVES[at].get(event)


def ok_event(screen: Screen) -> Event:
    """What pressing OK means on ``screen``: confirming needs the last page before one's eyes."""
    return Event.OK_ON_LAST_PAGE if isinstance(screen, Review) and screen.is_last else Event.OK


def soft_keys(screen: Screen) -> tuple[str, str]:
    """The words above the two buttons (CANCEL left, OK right); empty where the button does nothing."""
    if isinstance(screen, Typing):
        return _typing_keys(screen)
    cancel, ok = (move(screen.state, event) for event in (Event.CANCEL, ok_event(screen)))
    right = screen.start if isinstance(screen, Idle) else ok.label if ok else ""
    return (cancel.label if cancel else "", right)


def _typing_keys(screen: Typing) -> tuple[str, str]:
    if screen.wheel:
        return "Turn", {"<": "Erase", "=": "Done"}.get(screen.wheel, "Take")
    return "Erase" if screen.shown else "Back", "Done" if screen.enough else ""
