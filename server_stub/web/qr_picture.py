"""The QR code on a page: made once for a challenge, and shown again whenever the page is loaded, in any tab.

The REST gives a challenge's text once, when it makes it; the browser keeps it, sealed, for as long as it counts.
"""

from datetime import datetime
from typing import Any

import msgspec

from server_stub.api.airlock_2fa import draw
from server_stub.web import sealed
from server_stub.web.rendering import iso
from server_stub.web.visit import Visit

COOKIE = "authrig_shown"
SCALE = 8
"""Pixels per module; a page shows the picture as large as it has room."""


class Shown(msgspec.Struct, frozen=True):
    """A QR code: its text, and until when it counts (seconds since 1970)."""

    content: str
    expires_at: float


def remember(visit: Visit, challenge_id: str | None, document: Any) -> Shown:
    """Keep the QR code in an answer of the REST."""
    attributes = document.data.attributes
    shown = Shown(attributes.content, datetime.fromisoformat(attributes.expires_at).timestamp())
    lifetime = visit.remaining(shown.expires_at)
    sealed.keep(visit, COOKIE, challenge_id or "", msgspec.json.encode(shown), lifetime)
    return shown


def recall(visit: Visit, challenge_id: str | None) -> Shown | None:
    """The QR code of a challenge, unless the browser has it no more or it is over."""
    kept = sealed.kept(visit, COOKIE, challenge_id) if challenge_id else None
    shown = msgspec.json.decode(kept, type=Shown) if kept else None
    return shown if shown and shown.expires_at > visit.iam.now() else None


async def values(visit: Visit, shown: Shown) -> dict[str, object]:
    """What a page says of a QR code."""
    return {
        "image": await draw(shown.content, SCALE),
        "until": visit.clock(shown.expires_at),
        "until_iso": iso(shown.expires_at),
        "seconds": visit.remaining(shown.expires_at),
    }
