"""A security key or passkey, asked by the browser; the page's script carries what it says to the REST."""

from server_stub.errors import unexpected_call
from server_stub.flows.flow import Method
from server_stub.sessions import Session
from server_stub.web.pages import step
from server_stub.web.visit import Answer, Visit


async def show(visit: Visit, session: Session) -> Answer:
    """A button, and words for everything that can go wrong."""
    return step.page(visit, "key.html", session)


async def instead(visit: Visit) -> Answer:
    """The same page for who has been offered something else first."""
    session = await visit.require_session()
    answer = step.page(visit, "key.html", session)
    if session.application != step.application_of(visit) or Method.FIDO not in answer.values["methods"]:
        raise unexpected_call("a key is not what comes next")
    return answer
