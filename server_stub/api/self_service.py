"""What someone who is logged in may ask about their session, and how they leave it."""

from sqlalchemy import Connection

from server_stub import sessions
from server_stub.api.current import cookie, cookie_name, find, require_authenticated
from server_stub.api.envelope import Document, answer, timestamp
from server_stub.api.routing import Call, Nothing, Reply
from server_stub.errors import ApiError
from server_stub.iam import Iam
from server_stub.sessions import Session
from server_stub.store.iam import audit


class PassedStep(Document, frozen=True):
    """A step of the login."""

    method: str
    passed_at: str


class SessionAttributes(Document, frozen=True):
    """Who is logged in, to what, and how that was proven."""

    username: str
    application: str
    flow: str
    steps: tuple[PassedStep, ...]
    authenticated_at: str
    expires_at: str


class LoggedOut(Document, frozen=True):
    """The session is over."""


async def get_session(iam: Iam, call: Call[Nothing]) -> Reply:
    """Tell who is logged in."""
    session = await require_authenticated(iam, call)
    assert session.username is not None
    assert session.authenticated_at is not None
    attributes = SessionAttributes(
        session.username,
        session.application,
        session.flow,
        tuple(PassedStep(step.method, timestamp(step.at)) for step in session.passed),
        timestamp(session.authenticated_at),
        timestamp(session.expires_at),
    )
    return Reply(answer(iam.now(), "authentication.session", str(session.id), attributes))


async def log_out(iam: Iam, call: Call[Nothing]) -> Reply:
    """End the session, complete or not."""
    session = await find(iam, call.cookies)
    if session is None:
        raise ApiError(401, "NOT_AUTHORIZED", "there is no session")
    await iam.database.run(_end, iam, session, call.cookies[cookie_name(iam)])
    document = answer(iam.now(), "authentication.session", str(session.id), LoggedOut())
    return Reply(document, cookies=(cookie(iam, ""),))


def _end(connection: Connection, iam: Iam, session: Session, token: str) -> None:
    sessions.end(connection, token)
    audit.append(connection, iam.now(), "logout", "done", session.user_id, session=session.reference)
