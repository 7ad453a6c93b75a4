"""Connecting an app of one's own: a code that it scans, or digits that are typed into it."""

from datetime import datetime

import msgspec

from server_stub.api.airlock_2fa import draw
from server_stub.errors import ApiError
from server_stub.sessions import Session
from server_stub.web import sealed
from server_stub.web.pages import self_service
from server_stub.web.qr_picture import SCALE
from server_stub.web.rendering import iso
from server_stub.web.visit import Answer, Page, Redirect, Visit

PATH = f"{self_service.PATH}app"
COOKIE = "authrig_app"
"""The cookie with the codes: the REST tells them once."""


class Codes(msgspec.Struct, frozen=True):
    """What the app is given, until when (seconds since 1970)."""

    enrollment: str
    content: str
    digits: str
    expires_at: float

    def __repr__(self) -> str:
        return f"Codes({self.enrollment!r})"


async def begin(visit: Visit) -> Answer:
    """New codes; those of before count no more."""
    made = (await visit.rest("own_tokens.enroll_own_app", {"shortCode": True})).data
    session = await visit.require_session()
    told = made.attributes
    codes = Codes(made.id, told.content, told.short_code or "", datetime.fromisoformat(told.expires_at).timestamp())
    sealed.keep(visit, COOKIE, _about(session), msgspec.json.encode(codes), visit.remaining(codes.expires_at))
    return Redirect(PATH)


async def show(visit: Visit) -> Answer:
    """The codes, for as long as they count."""
    session = await visit.session()
    codes = _kept(visit, session)
    if codes is None:
        return Redirect(self_service.PATH)
    values = {
        "image": await draw(codes.content, SCALE),
        "digits": " ".join(codes.digits[begin : begin + 4] for begin in range(0, len(codes.digits), 4)),
        "until": visit.clock(codes.expires_at),
        "until_iso": iso(codes.expires_at),
        "seconds": visit.remaining(codes.expires_at),
        "waiting": "waiting" in visit.query,
    }
    return Page("own_app.html", values)


async def check(visit: Visit) -> Answer:
    """Whether the app has used them."""
    codes = _kept(visit, await visit.session())
    if codes is None:
        raise ApiError(404, "ENROLLMENT_UNKNOWN", "there are no codes that still count")
    state = (await visit.rest("own_tokens.get_own_enrollment", enrollment=codes.enrollment)).data.attributes.status
    if state == "success":
        return Redirect(f"{self_service.PATH}?done=app_added")
    return Redirect(f"{PATH}?waiting")


def _kept(visit: Visit, session: Session | None) -> Codes | None:
    if session is None or session.authenticated_at is None:
        return None
    content = sealed.kept(visit, COOKIE, _about(session))
    codes = msgspec.json.decode(content, type=Codes) if content else None
    return codes if codes and codes.expires_at > visit.iam.now() else None


def _about(session: Session) -> str:
    assert session.user_id is not None
    return session.user_id.hex()
