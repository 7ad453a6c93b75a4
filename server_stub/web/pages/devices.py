"""Which of one's devices to use."""

from server_stub.errors import ApiError, unexpected_call
from server_stub.flows.devices import CAPABILITY
from server_stub.sessions import Session
from server_stub.web.pages import step
from server_stub.web.visit import Answer, Visit


async def show(visit: Visit, session: Session) -> Answer:
    """The devices that can do what comes next."""
    listed = await visit.rest("airlock_2fa.retrieve_devices")
    rows = [
        {
            "id": each.id,
            "name": each.attributes.display_name,
            "serial": each.attributes.serial,
            "can": [name for name in CAPABILITY.values() if name in each.attributes.capabilities],
        }
        for each in listed.data
    ]
    return step.page(visit, "devices.html", session, devices=rows)


async def choose_again(visit: Visit) -> Answer:
    """The same page for who has chosen already, and would rather use another one."""
    session = await visit.require_session()
    if session.application != step.application_of(visit):
        raise unexpected_call("the login is for another application")
    return await show(visit, session)


async def select(visit: Visit) -> Answer:
    """Use this one."""
    if not visit.form.get("device"):
        raise ApiError(400, "FIELDS_MISSING", "choose a device")
    await visit.rest("airlock_2fa.select_device", device=visit.form["device"])
    return step.login(step.application_of(visit))
