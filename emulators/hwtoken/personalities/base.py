"""What the device needs from a protocol, whichever it is: something to review, and the code once it is confirmed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

from emulators.hwtoken.layout import Entry
from emulators.hwtoken.network import CameBack, Wanted
from emulators.hwtoken.screens import ErrorKind, Notice
from emulators.hwtoken.typed import Question


class Rejected(Exception):  # noqa: N818 - no program error: the answer "there will be no code" and the screen that says why
    """What the camera saw must not be answered; ``kind`` and ``sentence`` are for the error screen."""

    def __init__(self, kind: ErrorKind, sentence: str) -> None:
        self.kind = kind
        self.sentence = sentence
        super().__init__(f"{kind.value}: {sentence}")


class PinUse(Enum):
    """Whether a PIN is typed between the last page and the code, and who judges it."""

    NONE = auto()
    TOKEN = auto()
    SERVER = auto()
    """It goes into the code; the token shows a code for any."""
    CHOSEN = auto()
    """As for ``SERVER``, but here it is chosen, so it is typed twice."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How the user agreed."""

    pin: str | None = field(default=None, repr=False)
    """What was typed for the server to judge."""
    duress: bool = False
    """The duress PIN was typed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The digits, what typing them does, and whether they were on the panel before."""

    digits: str
    purpose: str
    already_shown: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Something has to go over the network before it goes on."""

    wanted: Wanted
    sentence: str
    """What the panel says meanwhile."""
    then: "Callable[[CameBack], Notice | Answer | Outgoing | Proposal]" = field(repr=False)
    """Gets what came back, ``Unreachable`` where nothing did. Raises Rejected, and MemoryFault."""


class Proposal(Protocol):
    """A genuine challenge: what the user must read before its code exists."""

    @property
    def title(self) -> str:
        """One or two words of the device's own for the title bar."""
        ...

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Everything that the code covers and the user can judge, in the order to show; where nothing, no review."""
        ...

    @property
    def one_entry_a_page(self) -> bool:
        """Whether the server asks that each entry be confirmed by itself."""
        ...

    @property
    def pin_use(self) -> PinUse:
        """Whether the code needs a PIN."""
        ...

    @property
    def while_locked(self) -> bool:
        """Whether it may be answered while the token's PIN is locked or not typed: it is what ends that."""
        ...

    def check_time(self) -> None:
        """Make sure that the challenge is alive by the token's clock, where it has one.

        Raises:
            Rejected: it has ended, or is not valid yet.
        """
        ...

    def answer(self, confirmation: Confirmation) -> Answer | Outgoing:
        """Make durable what must not be lost, then compute the digits, or what to send instead of showing any. Called once the user has confirmed the last page.

        Raises:
            Rejected: something has made it impossible since.
            MemoryFault: the memory keeps nothing; there is no code then.
        """
        ...

    def decline(self) -> str | None:
        """The digits that report the challenge as fraud; None where the protocol has none."""
        ...

    def refuse(self) -> Outgoing | None:
        """What to send where the user refuses; None where the server learns nothing of it."""
        ...


@dataclass(frozen=True, slots=True)
class TypeFirst:
    """A message that cannot be opened before something was typed.

    ``propose`` opens it with that; it raises Rejected where it does not open, and MemoryFault where the try could not be
    counted.
    """

    question: Question
    propose: Callable[[str], Proposal]


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that needs no camera: a passcode, or a challenge to type. ``label`` stands in a menu."""

    label: str
    begin: Callable[[], Proposal | TypeFirst]


@dataclass(frozen=True, slots=True)
class Choice:
    """Several accounts could answer, and only the user knows which one is meant."""

    title: str
    offers: tuple[Offer, ...]


class Personality(Protocol):
    """One protocol with one token's keys."""

    @property
    def start_label(self) -> str:
        """The word above OK where this is the model's first personality. "Scan" begins with the camera."""
        ...

    def offers(self) -> tuple[Offer, ...]:
        """What can be done without the camera."""
        ...

    def propose(self, data: bytes) -> Proposal | TypeFirst | Choice | Outgoing:
        """What ``data``, the bytes of one QR code as the decoder gave them, asks.

        Raises:
            Rejected: it is no message of this protocol for this token, by the kind that the user can act on; ``NOT_OURS``
                leaves it to other protocols.
        """
        ...
