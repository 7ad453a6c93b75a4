"""A QR badge: held up to the camera, which the page's script reads, or typed, also by a scanner that types."""

import base64

from server_stub.api.current import context
from server_stub.errors import ApiError
from server_stub.flows.flow import BADGES
from server_stub.policies import offer
from server_stub.web.pages.step import application_of, begin, login
from server_stub.web.visit import Answer, Page, Visit


async def show(visit: Visit) -> Answer:
    """The camera's picture, and a field."""
    name = application_of(visit)
    session = await visit.session()
    under_way = session is not None and session.application == name and session.passed
    offered = offer(visit.iam.policies.policies, context(visit.iam, visit.call(None), name)).first_methods
    if under_way or not BADGES.intersection(offered):
        return login(name)
    values = {"application": name, "title": visit.iam.policies.applications[name].title}
    return Page("badge.html", values, camera=True)


async def check(visit: Visit) -> Answer:
    """What was typed."""
    name = await begin(visit)
    text = visit.form.get("badge", "").strip("\r\n\t")
    if not text:
        raise ApiError(400, "FIELDS_MISSING", "the badge's text is needed")
    await visit.rest("authentication.check_badge", {"badge": base64.b64encode(text.encode()).decode()})
    return login(name)
