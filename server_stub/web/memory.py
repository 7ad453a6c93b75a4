"""What one process remembers for its pages. When it forgets, nothing is lost: a page then asks for a new challenge."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

MOST = 10_000
"""Of each thing; the oldest is forgotten first."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A QR code on a page: its picture as a data URI, and until when it counts (seconds since 1970)."""

    image: str
    expires_at: float


@dataclass(slots=True)
class Memory:
    """QR codes by their challenges: a page that is loaded again, or in two tabs, shows the same one again."""

    challenges: OrderedDict[str, Shown] = field(default_factory=OrderedDict)
    paid: OrderedDict[tuple[bytes, str], float] = field(default_factory=OrderedDict)
    """The demo shop's till: whose invoice of which number was paid, and when."""

    def show(self, challenge_id: str, shown: Shown) -> Shown:
        """Remember a QR code."""
        self.challenges[challenge_id] = shown
        _shorten(self.challenges)
        return shown

    def pay(self, user_id: bytes, number: str, now: float) -> None:
        """An invoice is paid; paying it again changes nothing."""
        self.paid.setdefault((user_id, number), now)
        _shorten(self.paid)

    def shown(self, challenge_id: str | None, now: float) -> Shown | None:
        """The QR code of a challenge, unless it is forgotten or over."""
        found = self.challenges.get(challenge_id or "")
        return found if found and found.expires_at > now else None


def _shorten(rows: OrderedDict[Any, Any]) -> None:
    while len(rows) > MOST:
        rows.popitem(last=False)
