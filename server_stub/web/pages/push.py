"""An app that is asked: the page waits for it, and offers the QR code to who has no connection."""

from server_stub.api.current import next_methods
from server_stub.flows.flow import Method
from server_stub.sessions import Session
from server_stub.web.pages import step
from server_stub.web.visit import Answer, Visit


async def show(visit: Visit, session: Session) -> Answer:
    """Ask the app, unless it is being asked, and say so."""
    if session.pending.push_id is None:
        await visit.rest("airlock_2fa.poll_status")
    offline = Method.OFFLINE_QR in next_methods(visit.iam, session)
    waiting = "waiting" in visit.query
    return step.page(visit, "push.html", session, offline=offline, waiting=waiting)


async def check(visit: Visit) -> Answer:
    """Whether the app was answered, for browsers that do not run the page's script."""
    name = step.application_of(visit)
    document = await visit.rest("airlock_2fa.poll_status")
    waits = document.data.attributes.next_auth_step == "AIRLOCK_2FA_POLLING_OR_OFFLINE_REQUIRED"
    to = step.login(name)
    return type(to)(to.to + "?waiting") if waits else to
