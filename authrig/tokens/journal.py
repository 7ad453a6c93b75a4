"""What happened to a token since it was switched on, so that the next command can take it up where it was.

A token's screen holds what no file can (questions that wait for an answer). But a token is a pure function of what
happens to it, when, and of what it draws at random; so these are kept, and done again.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from emulators.hwtoken.network import CameBack, Done, HttpReply, Pushes, TooLate, Unreachable

At = Annotated[float, msgspec.Meta(ge=0)]
MAX_EVENTS = 4096
"""More than any user does in one session."""


Kind = Literal["pushes", "done", "too late", "reply", "unreachable"]


class Pressed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="press"):
    """A key, by its name on the console."""

    at: At
    button: str
    held: bool = False

    def __repr__(self) -> str:
        return "Pressed()"


class Saw(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="saw"):
    """The bytes of the codes in one frame."""

    at: At
    codes: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Saw({len(self.codes)} codes)"


class Delivered(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="came back"):
    """The result of the errand that was open."""

    at: At
    kind: Kind
    value: msgspec.Raw = msgspec.Raw(b"null")

    def __repr__(self) -> str:
        return f"Delivered({self.kind!r})"


class WentOnline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="online"):
    """Its network was switched on or off."""

    at: At
    online: bool


Event = Pressed | Saw | Delivered | WentOnline


class Session(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One session: how it began, what happened, and what the token showed at the end of it."""

    began: float
    """Seconds since 1970; all ``at`` are seconds from there."""
    key: str
    """What its random numbers are made of. It goes when the session does."""
    memory: str
    """The token's memory as it was when it was switched on."""
    events: tuple[Event, ...] = ()
    shows: tuple[str, ...] = ()
    """The last screen in words. Where doing it all again leads elsewhere, the session is given up."""

    def __repr__(self) -> str:
        return f"Session({self.began!r}, {len(self.events)} events)"


_KINDS: Mapping[Kind, type[CameBack]] = {
    "pushes": Pushes,
    "done": Done,
    "too late": TooLate,
    "reply": HttpReply,
    "unreachable": Unreachable,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def delivered(at: float, came_back: CameBack) -> Delivered:
    """The event that ``came_back`` came."""
    return Delivered(at, _NAMES[type(came_back)], msgspec.Raw(msgspec.json.encode(came_back)))


def came_back_in(event: Delivered) -> CameBack:
    """What came. Raises msgspec.DecodeError where it is none."""
    return msgspec.json.decode(event.value, type=_KINDS[event.kind])
