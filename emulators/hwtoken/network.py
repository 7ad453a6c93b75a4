"""What a token with a network wants done, and what came back. It opens no connection: whoever runs it does that.

At most one errand is open at a time (``QrToken.errand``); its result is handed back with its number
(``QrToken.deliver``). A result that comes too late, for an errand that has been given up, changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class FetchPushes:
    """Ask the server of this app which pushes wait for it. Comes back as ``Pushes``."""


@dataclass(frozen=True, slots=True)
class AnswerPush:
    """Tell the server what its user decided. Comes back as ``Done``, or ``TooLate``."""

    push_id: str
    approve: bool


@dataclass(frozen=True, slots=True)
class HttpGet:
    """GET ``url``, which a QR code named: follow no redirect. Comes back as ``HttpReply``."""

    url: str = field(repr=False)
    """http or https. It may hold a one-time secret, so no text shows it."""


@dataclass(frozen=True, slots=True)
class HttpPost:
    """POST ``body`` to ``url``: follow no redirect. Comes back as ``HttpReply``."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    content_type: str = FORM
    headers: tuple[tuple[str, str], ...] = ()


Wanted = FetchPushes | AnswerPush | HttpGet | HttpPost


@dataclass(frozen=True, slots=True)
class Push:
    """One that waits: ``text`` is what the user decides about, a line for each thing; ``expires_at`` in seconds since 1970."""

    push_id: str
    text: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Pushes:
    """All that wait, the oldest first."""

    waiting: tuple[Push, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The server has taken the answer."""


@dataclass(frozen=True, slots=True)
class TooLate:
    """The push is over: expired, cancelled, or answered before."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What a server said; header names in lower case."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unreachable:
    """There was no answer: no connection, a broken one, or too slow. The server may have got the request all the same."""


CameBack = Pushes | Done | TooLate | HttpReply | Unreachable


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing to do. ``number`` comes back with the result."""

    number: int
    wanted: Wanted


@dataclass(slots=True)
class Radio:
    """The way to the network: ``present`` in the model at all, and ``on`` unless its user went offline."""

    present: bool = False
    on: bool = True

    @property
    def is_on(self) -> bool:
        """Whether errands can be sent."""
        return self.present and self.on
