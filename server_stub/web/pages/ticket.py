"""A ticket of another system, which sends people here with it: ``/login/kiosk/ticket?ticket=eyJ...``.

Following a link must not log anybody in: whoever wrote the link would choose as whom. So a page asks first.
"""

from dataclasses import replace

from server_stub.api.current import context, cookie_name
from server_stub.errors import ApiError
from server_stub.flows.flow import Method
from server_stub.policies import offer
from server_stub.web.pages.step import application_of, begin, login
from server_stub.web.visit import Answer, Page, Visit


async def show(visit: Visit) -> Answer:
    """A button that goes on with the ticket in the address; without one, a field for it."""
    name = application_of(visit)
    offered = offer(visit.iam.policies.policies, context(visit.iam, visit.call(None), name)).first_methods
    if Method.SSO_TICKET not in offered:
        return login(name)
    values = {
        "application": name,
        "title": visit.iam.policies.applications[name].title,
        "ticket": visit.query.get("ticket", ""),
    }
    return Page("ticket.html", values)


async def check(visit: Visit) -> Answer:
    """Begin anew with the ticket: who comes with one means to be whom it names, whoever was here before.

    Who was here before stays until the ticket has proved good.
    """
    name = application_of(visit)
    ticket = visit.form.get("ticket", "").strip()
    if not ticket:
        raise ApiError(400, "FIELDS_MISSING", "the ticket is needed")
    others = {cookie: value for cookie, value in visit.jar.items() if cookie != cookie_name(visit.iam)}
    anew = replace(visit, jar=others, to_set={})
    await begin(anew)
    await anew.rest("first_steps.check_ticket", {"ticket": ticket})
    if await visit.session():
        await visit.rest("self_service.log_out")
    visit.take(tuple(anew.to_set.values()))
    return login(name)
