"""First steps: access to an application, password, badge."""

import base64
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection

from offline_qr.badge import BadgeError, InsecureBadge, SecureBadge, parse
from server_stub import sessions
from server_stub.api.current import (
    Claim,
    Proof,
    context,
    cookie,
    cookie_name,
    find,
    next_methods,
    passed,
    prove,
    refusal_document,
    require,
    step_reply,
)
from server_stub.api.envelope import Request
from server_stub.api.routing import Call, Reply
from server_stub.criteria import Context
from server_stub.errors import ApiError, bad_request
from server_stub.factors import badge as badges
from server_stub.factors.offline_qr import locked
from server_stub.factors.password import normalise
from server_stub.flows.flow import BADGES, Method
from server_stub.iam import Iam
from server_stub.limits import Lock
from server_stub.policies import offer
from server_stub.sessions import Beginning, Session, decoy_of
from server_stub.store import users
from server_stub.store.iam import attempts, audit
from server_stub.store.users import User

Username = Annotated[str, Meta(min_length=1, max_length=64)]
Password = Annotated[str, Meta(min_length=1, max_length=1024)]


class PasswordCheck(Request, frozen=True):
    """``username`` may be left out after an insecure badge; if it is there it must be the badge's user."""

    password: Password
    username: Username | None = None


class BadgeCheck(Request, frozen=True):
    """``badge``: base64 of the bytes that the scanner read."""

    badge: Annotated[str, Meta(min_length=1, max_length=1024)]


class AccessRequest(Request, frozen=True):
    """``target``: where to go in the end, one of those that the policy file lists for the application."""

    target: Annotated[str, Meta(max_length=2048)] | None = None


async def access(iam: Iam, call: Call[AccessRequest]) -> Reply:
    """Start a login for an application, or look how it stands: 200 when it is complete, 401 with what is still missing."""
    name = call.path["application"]
    if name not in iam.policies.applications:
        raise ApiError(404, "APPLICATION_NOT_FOUND", "there is no application of that name")
    target = call.body.target
    if target is not None and target not in iam.policies.applications[name].targets:
        raise ApiError(400, "TARGET_NOT_ALLOWED", "the application has no such target")
    session = await find(iam, call.cookies)
    token = ""
    if session is None or session.application != name:
        token, session = await iam.database.run(
            _start, iam, context(iam, call, name), target, call.cookies.get(cookie_name(iam), "")
        )
    elif target is not None and target != session.target:
        session = await iam.database.run(sessions.set_target, session, target)
    if session is None:
        raise ApiError(403, "ACCESS_DENIED", "no policy lets anyone into this application")
    if session.authenticated_at is not None:
        return step_reply(iam, session)
    error = ApiError(401, "NOT_AUTHORIZED", "the login is not complete")
    return Reply(refusal_document(iam, session, error), 401, (cookie(iam, token),) if token else ())


def _start(
    connection: Connection, iam: Iam, at: Context, target: str | None, old_token: str
) -> tuple[str, Session | None]:
    now, token = iam.now(), iam.new_token()
    found = offer(iam.policies.policies, at)
    outcome = "offered" if found.first_methods else "denied"
    audit.append(connection, now, "access", outcome, application=at.application, why=list(found.why))
    if not found.first_methods:
        return "", None
    beginning = Beginning(at.application, found.first_methods, target)
    if old_token:
        sessions.end(connection, old_token)
    return token, sessions.start(connection, token, beginning, now + iam.settings.login_lifetime)


async def check_password(iam: Iam, call: Call[PasswordCheck]) -> Reply:
    """Check user name and password; after an insecure badge, the password of its user."""
    session = await require(iam, call, Method.PASSWORD)
    name = None if call.body.username is None else normalise(call.body.username).decode()
    if session.subject is None and name is None:
        raise bad_request("the user name is missing: nothing in this session says yet who the user is")
    user, subject, lock = await iam.database.run(_begin_password, iam, name, session.subject)
    if lock:
        raise locked(lock.until)
    if not await iam.hasher.matches(call.body.password, user.password_hash if user else None):
        raise await iam.database.run(_wrong_password, iam, subject, user)
    assert user is not None
    await iam.database.run(_accept_password, user)
    proof = await prove(iam, call, session, Method.PASSWORD, Claim(user.id))
    token, session = await iam.database.run(_right_password, iam, session, user, proof)
    return step_reply(iam, session, token)


def _begin_password(
    connection: Connection, iam: Iam, name: str | None, named: bytes | None
) -> tuple[User | None, str, Lock | None]:
    """Whose password it may be, and whose attempts are counted.

    ``name`` was typed now, ``named`` is whom an earlier step named. Names that nobody has lock like others: the
    answer tells nobody which ones exist.
    """
    user = users.load_user(connection, named) if name is None and named else users.find_user(connection, name or "")
    subject = user.id if user else (named if name is None and named else decoy_of(name or ""))
    if named not in {None, subject}:
        # Whatever the password, it is not that of whom the earlier step named.
        user, subject = None, decoy_of(f"{(named or subject).hex()}\0{name}")
    lock = attempts.reserve(connection, subject.hex(), Method.PASSWORD, iam.now(), iam.settings.iam_lockout)
    return user, subject.hex(), lock


def _wrong_password(connection: Connection, iam: Iam, subject: str, user: User | None) -> ApiError:
    now = iam.now()
    audit.append(connection, now, "password", "wrong", user.id if user else None)
    lock = attempts.lock(connection, subject, Method.PASSWORD, now)
    return ApiError(400, "USERNAME_PASSWORD_WRONG", "user name or password is wrong", lock.until if lock else None)


def _accept_password(connection: Connection, user: User) -> None:
    if users.get_user(connection, user.id).password_hash != user.password_hash:
        raise ApiError(400, "USERNAME_PASSWORD_WRONG", "the password was changed a moment ago")
    attempts.clear(connection, user.id.hex(), Method.PASSWORD)


def _right_password(
    connection: Connection, iam: Iam, session: Session, user: User, proof: Proof
) -> tuple[str, Session]:
    _accept_password(connection, user)
    return passed(connection, iam, session, proof)


async def check_badge(iam: Iam, call: Call[BadgeCheck]) -> Reply:
    """Check a badge that was held up to the scanner."""
    session = await require(iam, call, *BADGES)
    try:
        read = base64.b64decode(call.body.badge, validate=True)
    except ValueError as error:
        raise bad_request("the badge is not base64 of what the scanner read") from error
    try:
        badge = parse(read)
    except BadgeError as error:
        await iam.database.run(_unreadable, iam, session)
        raise ApiError(400, "BADGE_WRONG", str(error)) from error
    kind = badges.kind_of(badge)
    allowed = badges.KINDS[kind] in next_methods(iam, session)
    scan = await iam.database.run(_scan, iam, badge, session, allowed=allowed)
    if not allowed:
        raise ApiError(403, "BADGE_NOT_ALLOWED", f"{kind} badges are not accepted here")
    if scan.why_not or scan.user is None:
        raise _wrong_badge()
    proof = await prove(iam, call, session, scan.method, Claim(scan.user.id))
    token, session = await iam.database.run(_still_right_badge, iam, badge, session, proof)
    return step_reply(iam, session, token)


def _wrong_badge() -> ApiError:
    return ApiError(400, "BADGE_WRONG", "the badge is not known or no longer valid")


def _still_right_badge(
    connection: Connection, iam: Iam, badge: InsecureBadge | SecureBadge, session: Session, proof: Proof
) -> tuple[str, Session]:
    """The cloud may have been asked since the scan: one that was voided meanwhile, or its password changed, opens nothing."""
    if badges.scan(connection, iam.vault, badge, iam.now()).why_not:
        raise _wrong_badge()
    return passed(connection, iam, session, proof)


def _unreadable(connection: Connection, iam: Iam, session: Session) -> None:
    audit.append(connection, iam.now(), "badge.scan", "not a badge", application=session.application)


def _scan(
    connection: Connection,
    iam: Iam,
    badge: InsecureBadge | SecureBadge,
    session: Session,
    *,
    allowed: bool,
) -> badges.Scan:
    scan = badges.scan(connection, iam.vault, badge, iam.now())
    if allowed and not scan.why_not:
        users.count_use(connection, badge.badge_id)
    audit.append(
        connection,
        iam.now(),
        "badge.scan",
        scan.why_not or ("read" if allowed else "not allowed by policy"),
        scan.user.id if scan.user else None,
        kind=badges.kind_of(badge),
        badge=badge.badge_id.hex(),
        application=session.application,
    )
    return scan
