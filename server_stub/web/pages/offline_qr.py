"""The offline QR code: a large picture to hold a token up to, and a field for the code that it shows."""

from datetime import datetime
from typing import Any

from server_stub.errors import ApiError
from server_stub.sessions import Session
from server_stub.web.memory import Shown
from server_stub.web.pages import step
from server_stub.web.rendering import iso
from server_stub.web.visit import Answer, Visit

SCALE = 8
"""Pixels per module; the page shows the picture as large as it has room."""


async def show(visit: Visit, session: Session) -> Answer:
    """The challenge that there is, or a new one."""
    shown = visit.memory.shown(session.pending.challenge_id, visit.iam.now())
    if shown is None:
        shown = await _fresh(visit)
    return step.page(visit, "offline_qr.html", session, **values(visit, shown))


async def retrieve(visit: Visit) -> Answer:
    """A new code: because the old one is over, or because the app does not answer and a token shall."""
    await _fresh(visit)
    return step.login(step.application_of(visit))


async def check(visit: Visit) -> Answer:
    """The code that the token, or an app, shows."""
    if not visit.form.get("otp", "").strip():
        raise ApiError(400, "FIELDS_MISSING", "the code is needed")
    await visit.rest("airlock_2fa.check_otp", {"otp": tidy(visit.form["otp"])})
    return step.login(step.application_of(visit))


def values(visit: Visit, shown: Shown) -> dict[str, object]:
    """What a page says of a QR code."""
    return {
        "image": shown.image,
        "until": visit.clock(shown.expires_at),
        "until_iso": iso(shown.expires_at),
        "seconds": visit.remaining(shown.expires_at),
    }


def tidy(typed: str) -> str:
    """A code as people type it, without what only helps to read it."""
    return "".join(typed.replace("-", " ").split())


async def _fresh(visit: Visit) -> Shown:
    document = await visit.rest("airlock_2fa.retrieve_offline_qr_code", {"scale": SCALE})
    session = await visit.require_session()
    return visit.memory.show(session.pending.challenge_id or "", shown_of(document))


def shown_of(document: Any) -> Shown:
    """The QR code in an answer of the REST."""
    attributes = document.data.attributes
    return Shown(attributes.image, datetime.fromisoformat(attributes.expires_at).timestamp())
