"""Authentication sessions: a cursor in a flow, in the database; the browser holds only a random token.

Every passed step replaces the token. That one conditional update is the fixation defence and the race decision at
once: of two requests that pass a step with the same token, one finds its row.
"""

import base64
import hashlib
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from server_stub.errors import ApiError
from server_stub.flows.flow import Method
from server_stub.store.iam import sessions, users
from server_stub.store.prepared import Prepared

TOKEN_BYTES = 32


class Passed(msgspec.Struct, frozen=True):
    """One step of the past."""

    method: Method
    at: float


class FidoChallenge(msgspec.Struct, frozen=True):
    """What a FIDO response must answer."""

    purpose: str
    """``authentication`` or ``registration``."""
    state: dict[str, Any]
    expires_at: float
    display_name: str = ""


class OidcChallenge(msgspec.Struct, frozen=True):
    """What a provider's answer must fit to; only whoever has the session's cookie and a code could use it."""

    provider: str
    state: str
    nonce: str
    code_verifier: str
    expires_at: float

    def __repr__(self) -> str:
        return f"OidcChallenge({self.provider!r})"


class Pending(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the current step has prepared; forgotten when the step is passed."""

    device_id: str | None = None
    challenge_id: str | None = None
    factor: Method | None = None
    """What the chosen device is asked to do."""
    push_id: str | None = None
    fido: FidoChallenge | None = None
    oidc: OidcChallenge | None = None


class Session(msgspec.Struct, frozen=True):
    """One browser's way into one application."""

    id: int
    token_hash: bytes
    application: str
    flow: str
    """Empty until the first step has said who it is."""
    offered: tuple[Method, ...]
    """The methods that may come first."""
    user_id: bytes | None
    username: str | None
    decoy: bytes | None
    """Stands for a user when the name that was typed is nobody's."""
    target: str | None
    """Where the browser goes in the end, if not where the application says."""
    passed: tuple[Passed, ...]
    pending: Pending
    authenticated_at: float | None
    expires_at: float

    @property
    def methods(self) -> tuple[Method, ...]:
        """The methods passed so far."""
        return tuple(step.method for step in self.passed)

    @property
    def subject(self) -> bytes | None:
        """Who is meant: a user's id, or something that looks like one and is nobody's."""
        return self.user_id or self.decoy

    @property
    def reference(self) -> str:
        """What the cloud calls this session; useless to anyone who has no token."""
        return f"session-{self.id}"


def new_token(random: bytes) -> str:
    """The text for the cookie."""
    return base64.urlsafe_b64encode(random).decode().rstrip("=")


def hash_token(token: str) -> bytes:
    """What the database knows of a token: who reads the database cannot take over a session."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


# Statements of every login are made once: to put one together takes longer than to run it.
_BY_TOKEN = Prepared(
    select(sessions, users.c.username)
    .outerjoin(users, users.c.id == sessions.c.user_id)
    .where(sessions.c.token_hash == bindparam("token"), sessions.c.expires_at > bindparam("now"))
)
_NAME = Prepared(select(users.c.username).where(users.c.id == bindparam("user")))
_UNCHANGED = (sessions.c.token_hash == bindparam("was_token")) & (sessions.c.pending == bindparam("was_pending"))
_SET_PENDING = Prepared(update(sessions).where(_UNCHANGED).values(pending=bindparam("new_pending")))
_ADVANCE = Prepared(
    update(sessions)
    .where(sessions.c.token_hash == bindparam("was_token"))
    .values(
        token_hash=bindparam("new_token"),
        flow=bindparam("new_flow"),
        user_id=bindparam("new_user"),
        decoy=bindparam("new_decoy"),
        passed=bindparam("new_passed"),
        pending=bindparam("new_pending"),
        authenticated_at=bindparam("new_authenticated_at"),
        expires_at=bindparam("new_expires_at"),
    )
)
_START = Prepared(
    insert(sessions).values(
        token_hash=bindparam("token"),
        application=bindparam("application"),
        target=bindparam("target"),
        flow="",
        offered=bindparam("offered"),
        passed="[]",
        pending="{}",
        expires_at=bindparam("expires_at"),
    )
)
_OFFERED = msgspec.json.Decoder(tuple[Method, ...])
_PASSED = msgspec.json.Decoder(tuple[Passed, ...])
_PENDING = msgspec.json.Decoder(Pending)


class Beginning(msgspec.Struct, frozen=True):
    """How a login begins."""

    application: str
    offered: tuple[Method, ...]
    target: str | None = None


def decoy_of(name: str) -> bytes:
    """What stands for a user of a name that nobody has: always the same for the same name."""
    return hashlib.sha256(b"decoy\0" + name.encode()).digest()[:16]


def start(connection: Connection, token: str, beginning: Beginning, expires_at: float) -> Session:
    """A new session in which nothing is proven yet, and which may begin with one of the methods offered."""
    values = {
        "token": hash_token(token),
        "application": beginning.application,
        "target": beginning.target,
        "offered": msgspec.json.encode(beginning.offered).decode(),
        "expires_at": expires_at,
    }
    _START.changed(connection, values)
    session = load(connection, token, 0.0)
    assert session is not None
    return session


def load(connection: Connection, token: str, now: float) -> Session | None:
    """The session that ``token`` opens, unless there is none or its time is over."""
    row = _BY_TOKEN.one_or_none(connection, {"token": hash_token(token), "now": now})
    return _session(row) if row else None


def advance(connection: Connection, session: Session, token: str, after: Session) -> Session:
    """Move on from ``session`` to ``after``, which only ``token`` opens.

    Raises:
        ApiError: UNEXPECTED_CALL if another request moved on a moment ago.
    """
    after = msgspec.structs.replace(after, token_hash=hash_token(token))
    values = {
        "was_token": session.token_hash,
        "new_token": after.token_hash,
        "new_flow": after.flow,
        "new_user": after.user_id,
        "new_decoy": after.decoy,
        "new_passed": msgspec.json.encode(after.passed).decode(),
        "new_pending": _text(after.pending),
        "new_authenticated_at": after.authenticated_at,
        "new_expires_at": after.expires_at,
    }
    if not _ADVANCE.changed(connection, values):
        raise ApiError(400, "UNEXPECTED_CALL", "another request passed this step a moment ago")
    if after.subject == session.subject:
        return after
    # Looked for also when it is nobody's: a name that somebody has is not to be one statement slower.
    name = _NAME.scalar(connection, {"user": after.subject})
    return msgspec.structs.replace(after, username=name)


def set_pending(connection: Connection, session: Session, pending: Pending) -> Session:
    """Replace what the current step has prepared, if it is still what ``session`` says.

    Raises:
        ApiError: UNEXPECTED_CALL if another request changed it a moment ago.
    """
    values = {
        "was_token": session.token_hash,
        "was_pending": _text(session.pending),
        "new_pending": _text(pending),
    }
    if not _SET_PENDING.changed(connection, values):
        raise ApiError(400, "UNEXPECTED_CALL", "another request of this session was faster")
    return msgspec.structs.replace(session, pending=pending)


def set_target(connection: Connection, session: Session, target: str) -> Session:
    """Go to ``target`` in the end, and no longer to where this login was begun for."""
    connection.execute(update(sessions).where(sessions.c.token_hash == session.token_hash).values(target=target))
    return msgspec.structs.replace(session, target=target)


def forget_challenge(connection: Connection, session: Session) -> None:
    """The offline QR challenge of ``session`` is over; its device stays chosen. A newer challenge is left alone."""
    values = {
        "was_token": session.token_hash,
        "was_pending": _text(session.pending),
        "new_pending": _text(Pending(session.pending.device_id, factor=session.pending.factor)),
    }
    _SET_PENDING.changed(connection, values)


def end(connection: Connection, token: str) -> None:
    """Log out."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == hash_token(token)))


def end_by_hash(connection: Connection, token_hash: bytes) -> None:
    """End one session without its token."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


def end_all(connection: Connection, user_id: bytes) -> None:
    """Log a user out everywhere."""
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id))


def _session(row: Row[Any]) -> Session:
    return Session(
        row.id,
        row.token_hash,
        row.application,
        row.flow,
        _OFFERED.decode(row.offered),
        row.user_id,
        row.username,
        row.decoy,
        row.target,
        _PASSED.decode(row.passed),
        _PENDING.decode(row.pending),
        row.authenticated_at,
        row.expires_at,
    )


def _text(pending: Pending) -> str:
    return msgspec.json.encode(pending).decode()
