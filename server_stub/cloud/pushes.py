"""Online confirmation on an app ("one touch"): asked for by the IAM, answered by the app, looked at until its time is over."""

from sqlalchemy import ColumnElement, Connection, insert, select, update

from server_stub.cloud.messages import PushAnswer, PushAuth, PushRequest, PushStatus
from server_stub.cloud.store import audit, pushes, tokens
from server_stub.cloud.tokens import owned, used
from server_stub.errors import ApiError


def start(connection: Connection, push_id: str, message: PushAuth, now: float) -> PushStatus:
    """Ask the user's app; an earlier question for the same session is withdrawn.

    Raises:
        ApiError: 404 if the user has no such app.
    """
    usable = (tokens.c.id == message.device_id) & (tokens.c.state == "active") & (tokens.c.kind == "app")
    if connection.execute(select(tokens.c.id).where(usable, owned(message.user_id))).one_or_none() is None:
        raise ApiError(404, "DEVICE_UNKNOWN", "the user has no such app")
    same = (pushes.c.reference == message.reference) & (pushes.c.state == "waiting")
    connection.execute(update(pushes).where(same).values(state="cancelled"))
    connection.execute(
        insert(pushes).values(
            id=push_id,
            token_id=message.device_id,
            user_id=message.user_id,
            reference=message.reference,
            text=message.text,
            state="waiting",
            expires_at=now + message.ttl,
        )
    )
    audit.append(connection, now, "push.ask", "waiting", bytes.fromhex(message.user_id), push=push_id)
    return PushStatus(push_id, "waiting")


def status(connection: Connection, push_id: str, user_id: str, now: float) -> PushStatus:
    """What became of it. An approval is handed out once: then it is ``used``.

    One of an app that was suspended since, or is the user's no longer, is worth nothing.

    Raises:
        ApiError: 404 if the user was not asked that.
    """
    mine = (pushes.c.id == push_id) & (pushes.c.user_id == user_id)
    good = _of_active(owned(user_id))
    approved = mine & (pushes.c.state == "approved") & (pushes.c.expires_at > now)
    if connection.execute(update(pushes).where(approved, good).values(state="used")).rowcount:
        return PushStatus(push_id, "approved")
    connection.execute(update(pushes).where(approved, ~good).values(state="cancelled"))
    row = connection.execute(select(pushes).where(mine)).one_or_none()
    if row is None:
        raise ApiError(404, "PUSH_UNKNOWN", "the user was not asked that")
    if row.state in {"waiting", "approved"} and row.expires_at <= now:
        return PushStatus(push_id, "expired")
    # What was approved since the updates above is handed out by the next call, like all else by one of them.
    return PushStatus(push_id, "waiting" if row.state == "approved" else row.state)


def waiting(connection: Connection, user_id: str, now: float) -> list[PushRequest]:
    """What the user's apps show, oldest first; nothing on one that is suspended."""
    return _waiting(connection, pushes.c.user_id == user_id, now)


def waiting_at(connection: Connection, device_id: str, now: float) -> list[PushRequest]:
    """What one app shows, oldest first; nothing while it is suspended."""
    return _waiting(connection, pushes.c.token_id == device_id, now)


def _of_active(*which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a push is for an app that is not suspended, one of ``which``."""
    return pushes.c.token_id.in_(select(tokens.c.id).where(tokens.c.state == "active", *which))


def _waiting(connection: Connection, whose: ColumnElement[bool], now: float) -> list[PushRequest]:
    open_now = whose & (pushes.c.state == "waiting") & (pushes.c.expires_at > now) & _of_active()
    rows = connection.execute(select(pushes).where(open_now).order_by(pushes.c.expires_at))
    return [PushRequest(row.id, row.token_id, row.text, row.expires_at) for row in rows]


def answer(
    connection: Connection, push_id: str, message: PushAnswer, now: float, device_id: str | None = None
) -> PushStatus:
    """The user pressed a button of the app, which must not be suspended; with ``device_id`` it must be the one that was asked.

    Raises:
        ApiError: 409 if it is too late: answered, withdrawn, or its time is over.
    """
    outcome = "approved" if message.answer == "approve" else "denied"
    still = (pushes.c.id == push_id) & (pushes.c.state == "waiting") & (pushes.c.expires_at > now) & _of_active()
    if device_id is not None:
        still &= pushes.c.token_id == device_id
    changed = connection.execute(
        update(pushes).where(still).values(state=outcome).returning(pushes.c.user_id, pushes.c.token_id)
    ).one_or_none()
    if changed is None:
        raise ApiError(409, "PUSH_OVER", "nobody waits for that answer any more")
    used(connection, changed.token_id, now)
    audit.append(connection, now, "push.answer", outcome, bytes.fromhex(changed.user_id), push=push_id)
    return PushStatus(push_id, "approved" if outcome == "approved" else "denied")
