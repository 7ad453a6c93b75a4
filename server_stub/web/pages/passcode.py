"""A one-time password that a token or an app shows by itself."""

from server_stub.sessions import Session
from server_stub.web.pages import step
from server_stub.web.visit import Answer, Visit


async def show(visit: Visit, session: Session) -> Answer:
    """A field for the code; where it is checked is the same as for a QR code."""
    return step.page(visit, "passcode.html", session)
