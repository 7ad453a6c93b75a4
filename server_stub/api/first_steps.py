"""First steps that say who someone is without a password: a name, a remembered device, a ticket of another system."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection

from server_stub.api.current import Claim, passed, prove, require, require_authenticated, step_reply
from server_stub.api.envelope import Document, Request, answer, list_answer, timestamp
from server_stub.api.routing import Call, Cookie, Nothing, Reply
from server_stub.errors import ApiError
from server_stub.factors.password import normalise
from server_stub.flows.flow import Method
from server_stub.iam import Iam
from server_stub.jose import Claims, TicketRefused, verify_signature, verify_ticket
from server_stub.sessions import decoy_of
from server_stub.store import remembered, users
from server_stub.store.iam import audit
from server_stub.store.remembered import RememberedDevice
from server_stub.store.users import User

DEVICE_COOKIE = "authrig_device"
HTTPS_DEVICE_COOKIE = "__Host-authrig_device"


class UsernameCheck(Request, frozen=True):
    """A name; whether anybody has it is not told."""

    username: Annotated[str, Meta(min_length=1, max_length=64)]


class TicketCheck(Request, frozen=True):
    """``ticket``: a compact JWS of an issuer that this server knows."""

    ticket: Annotated[str, Meta(min_length=1, max_length=8192)]


class RememberRequest(Request, frozen=True):
    """``displayName``: what the user calls this browser."""

    display_name: Annotated[str, Meta(min_length=1, max_length=64)]


class RememberedAttributes(Document, frozen=True):
    """A remembered device; ``lastUsedAt`` is null until it has begun a login."""

    display_name: str
    remembered_at: str
    expires_at: str
    last_used_at: str | None


class Forgotten(Document, frozen=True):
    """It is remembered no longer."""


async def check_username(iam: Iam, call: Call[UsernameCheck]) -> Reply:
    """Take a name for who it is; the steps that follow prove it, and look the same for a name that nobody has."""
    session = await require(iam, call, Method.USERNAME)
    name = normalise(call.body.username).decode()
    user = await iam.database.run(users.find_user, name)
    claim = Claim(user.id) if user else Claim(None, decoy_of(name))
    proof = await prove(iam, call, session, Method.USERNAME, claim)
    token, session = await iam.database.run(passed, iam, session, proof)
    return step_reply(iam, session, token)


async def check_device_token(iam: Iam, call: Call[Nothing]) -> Reply:
    """Recognise a remembered device by its cookie."""
    session = await require(iam, call, Method.DEVICE_TOKEN)
    token = call.cookies.get(_cookie_name(iam), "")
    user_id = await iam.database.run(remembered.user_of, token, iam.now()) if token else None
    if user_id is None:
        raise ApiError(400, "DEVICE_NOT_REMEMBERED", "this browser is not remembered; begin in another way")
    proof = await prove(iam, call, session, Method.DEVICE_TOKEN, Claim(user_id))
    new_token, session = await iam.database.run(passed, iam, session, proof)
    return step_reply(iam, session, new_token)


async def check_ticket(iam: Iam, call: Call[TicketCheck]) -> Reply:
    """Believe a ticket that another system signed; each is good for one login."""
    session = await require(iam, call, Method.SSO_TICKET)
    try:
        claims = _verified(iam, call.body.ticket)
    except TicketRefused as error:
        raise await iam.database.run(_refuse, iam, str(error)) from error
    user = await iam.database.run(_use, iam, claims)
    if user is None:
        raise ApiError(400, "TICKET_WRONG", "the ticket was used before, or names nobody here")
    proof = await prove(iam, call, session, Method.SSO_TICKET, Claim(user.id))
    token, session = await iam.database.run(passed, iam, session, proof)
    return step_reply(iam, session, token)


def _verified(iam: Iam, ticket: str) -> Claims:
    for issuer, key in iam.sso_keys.items():
        try:
            claims = verify_signature(ticket, key)
        except TicketRefused:
            continue
        if claims.get("iss") == issuer:
            verified = verify_ticket(ticket, key, issuer, iam.settings.sso_audience, iam.now())
            if not verified.ticket_id:
                raise TicketRefused("the ticket has no jti, so it could be used twice")
            return verified
    raise TicketRefused("no issuer that this server knows has signed the ticket")


def _refuse(connection: Connection, iam: Iam, sentence: str) -> ApiError:
    audit.append(connection, iam.now(), "sso", "refused", why=sentence)
    return ApiError(400, "TICKET_WRONG", sentence)


def _use(connection: Connection, iam: Iam, claims: Claims) -> User | None:
    fresh = remembered.use_ticket(connection, claims.issuer, claims.ticket_id, claims.expires_at)
    user = users.find_user(connection, normalise(claims.subject).decode()) if fresh else None
    outcome = "read" if user else ("unknown user" if fresh else "used before")
    audit.append(connection, iam.now(), "sso", outcome, user.id if user else None, issuer=claims.issuer)
    return user


async def remember_device(iam: Iam, call: Call[RememberRequest]) -> Reply:
    """Remember this browser: its cookie says from now on who begins a login here."""
    session = await require_authenticated(iam, call)
    assert session.user_id is not None
    token, now, lasting = iam.new_token(), iam.now(), iam.settings.remembered_device_lifetime
    device = RememberedDevice(0, normalise(call.body.display_name).decode(), now, now + lasting)
    number = await iam.database.run(_remember, iam, token, session.user_id, device)
    cookie = Cookie(_cookie_name(iam), token, "/", iam.settings.behind_https, lasting)
    return Reply(answer(now, "my.remembered-device", str(number), _attributes(device)), 201, (cookie,))


def _remember(connection: Connection, iam: Iam, token: str, user_id: bytes, device: RememberedDevice) -> int:
    number = remembered.remember(connection, token, user_id, device)
    audit.append(connection, iam.now(), "device.remember", "done", user_id, device=number)
    return number


def _attributes(device: RememberedDevice) -> RememberedAttributes:
    used = device.last_used_at
    return RememberedAttributes(
        device.display_name,
        timestamp(device.created_at),
        timestamp(device.expires_at),
        timestamp(used) if used is not None else None,
    )


async def list_remembered_devices(iam: Iam, call: Call[Nothing]) -> Reply:
    """List the browsers that are remembered."""
    session = await require_authenticated(iam, call)
    assert session.user_id is not None
    devices = await iam.database.run(remembered.devices_of, session.user_id, iam.now())
    items = [(str(each.id), _attributes(each)) for each in devices]
    return Reply(list_answer(iam.now(), "my.remembered-device", items))


async def forget_device(iam: Iam, call: Call[Nothing]) -> Reply:
    """Remember a browser no longer, wherever it is."""
    session = await require_authenticated(iam, call)
    assert session.user_id is not None
    device = call.path["device"]
    known = device.isascii() and device.isdigit() and len(device) < 19
    if not known or not await iam.database.run(_forget, iam, session.user_id, int(device)):
        raise ApiError(404, "DEVICE_UNKNOWN", "you have no such remembered device")
    return Reply(answer(iam.now(), "my.remembered-device", device, Forgotten()))


def _forget(connection: Connection, iam: Iam, user_id: bytes, device: int) -> bool:
    known = remembered.forget(connection, user_id, device)
    if known:
        audit.append(connection, iam.now(), "device.forget", "done", user_id, device=device)
    return known


def _cookie_name(iam: Iam) -> str:
    return HTTPS_DEVICE_COOKIE if iam.settings.behind_https else DEVICE_COOKIE
