"""Administration: users, their tokens and badges, the audit log. For whoever holds the admin token."""

import hmac
import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import Connection
from starlette.requests import Request as HttpRequest

from offline_qr.badge import BADGE_ID_BYTES
from server_stub import sessions
from server_stub.api.authentication import Password
from server_stub.api.envelope import Document, Request, SecretDocument, answer, error_answer, list_answer, log_refusal
from server_stub.api.routing import Call, Nothing, Reply
from server_stub.audit import Entry
from server_stub.cloud.messages import ImportToken
from server_stub.errors import ApiError, bad_request
from server_stub.factors import badge as badges
from server_stub.factors.password import normalise
from server_stub.flows.flow import Method
from server_stub.iam import Iam
from server_stub.store import remembered, users
from server_stub.store.iam import attempts, audit
from server_stub.store.users import IssuedBadge, User

USER_ID_LENGTH = 16
MAX_USERNAME_BYTES = 64
_USERNAME = re.compile(r"(?!\.{1,2}$)[\w.@+-]+")
"""All but ``.`` and ``..``: browsers and clients leave them out of a path, so nobody could ask for that user."""


Group = Annotated[str, Meta(min_length=1, max_length=64)]


class NewUser(Request, frozen=True):
    """A user to be."""

    username: Annotated[str, Meta(min_length=1, max_length=64, description="letters, digits and . _ @ + -")]
    password: Password
    groups: Annotated[tuple[Group, ...], Meta(max_length=100)] = ()


class NewName(Request, frozen=True):
    """Another name for a user."""

    username: Annotated[str, Meta(min_length=1, max_length=64, description="letters, digits and . _ @ + -")]


class NewPassword(Request, frozen=True):
    """Another password. Secure badges made before die, sessions end, and so does a password lock."""

    password: Password


class Groups(Request, frozen=True):
    """Groups that policies may ask for."""

    groups: Annotated[tuple[Group, ...], Meta(max_length=100)]


class NewToken(Request, frozen=True):
    """A hardware token: imported into the cloud and assigned. The IAM does not keep the seed."""

    serial: Annotated[str, Meta(pattern=r"^[!-~]{1,64}$(?!\n)")]
    seed_hex: Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{64}$(?!\n)")]
    display_name: Annotated[str, Meta(min_length=1, max_length=64)]


class NewBadge(Request, frozen=True):
    """A badge to print."""

    kind: Literal["insecure", "secure"]
    lifetime_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    """Good for ever unless said."""


class TokenAttributes(Document, frozen=True):
    """A token of a user."""

    serial: str
    display_name: str


class BadgeAttributes(SecretDocument, frozen=True):
    """A new badge; ``content`` is the text of its QR code and is shown only now. A secure one is a credential."""

    kind: str
    content: str


class Named(Document, frozen=True):
    """Something a user has."""

    id: str
    kind: str
    display_name: str = ""


class UserAttributes(Document, frozen=True):
    """A user and what they have."""

    username: str
    groups: tuple[str, ...]
    qr_tokens: tuple[Named, ...] = ()
    badges: tuple[Named, ...] = ()
    fido_credentials: tuple[Named, ...] = ()


class AdminInterface:
    """Lets in who has the token of ``role``, or the one for everything."""

    def __init__(self, iam: Iam, role: str) -> None:
        self.services = iam
        self._role = role
        self.body_limit = iam.settings.body_limit
        self.trusted_proxies = iam.trusted_proxies

    def admit(self, request: HttpRequest, _: bytes) -> None:
        """Check the token.

        Raises:
            ApiError: 401 if it is missing or wrong, 403 if it is another role's.
        """
        shown = ", ".join(request.headers.getlist("authorization")).encode("utf-8", "replace")
        iam = self.services
        roles = {
            role
            for role, token in {"": iam.admin_token, **iam.role_tokens}.items()
            if hmac.compare_digest(f"Bearer {token}".encode(), shown)
        }
        if not roles:
            raise ApiError(401, "NOT_AUTHORIZED", "the header Authorization: Bearer <admin token> is missing or wrong")
        if not roles & {"", self._role}:
            raise ApiError(403, "ROLE_REQUIRED", f"this is for the administrator of {self._role}")

    async def refusal(self, request: HttpRequest, error: ApiError) -> msgspec.Struct:
        """Why not."""
        document = error_answer(self.services.now(), self.services.settings.token_bytes, error)
        return log_refusal(request.url.path, document)


def _username(text: str) -> str:
    username = normalise(text).decode()
    if not _USERNAME.fullmatch(username) or len(username.encode()) > MAX_USERNAME_BYTES:
        raise bad_request(f"a user name has letters, digits and . _ @ + -, up to {MAX_USERNAME_BYTES} bytes of UTF-8")
    return username


async def rename_user(iam: Iam, call: Call[NewName]) -> Reply:
    """Call a user something else; tokens, keys, badges and sessions stay."""
    user = await iam.database.run(_rename, iam, call.path["username"], _username(call.body.username))
    return Reply(answer(iam.now(), "user", user.id.hex(), UserAttributes(user.username, user.groups)))


def _rename(connection: Connection, iam: Iam, username: str, new: str) -> User:
    user = known_user(connection, username)
    users.rename(connection, user.id, new)
    audit.append(connection, iam.now(), "admin.user.rename", "done", user.id)
    return users.get_user(connection, user.id)


async def add_user(iam: Iam, call: Call[NewUser]) -> Reply:
    """Make a user."""
    username = _username(call.body.username)
    user_id = iam.settings.token_bytes(USER_ID_LENGTH)
    password_hash, badge_key = await _secrets(iam, user_id, call.body.password)
    user = User(user_id, username, password_hash, badge_key, call.body.groups)
    await iam.database.run(_add_user, iam, user)
    document = answer(iam.now(), "user", user.id.hex(), UserAttributes(user.username, call.body.groups))
    return Reply(document, 201)


def _add_user(connection: Connection, iam: Iam, user: User) -> None:
    users.add_user(connection, user)
    audit.append(connection, iam.now(), "admin.user.add", "done", user.id)


async def set_password(iam: Iam, call: Call[NewPassword]) -> Reply:
    """Give a user another password."""
    user = await iam.database.run(known_user, call.path["username"])
    password_hash, badge_key = await _secrets(iam, user.id, call.body.password)
    await iam.database.run(_set_password, iam, user, password_hash, badge_key)
    return Reply(answer(iam.now(), "user", user.id.hex(), UserAttributes(user.username, user.groups)))


def _set_password(connection: Connection, iam: Iam, user: User, password_hash: str, badge_key: bytes) -> None:
    users.set_password(connection, user.id, password_hash, badge_key)
    attempts.clear(connection, user.id.hex(), Method.PASSWORD)
    sessions.end_all(connection, user.id)
    remembered.forget_all(connection, user.id)
    audit.append(connection, iam.now(), "admin.user.password", "done", user.id)


async def set_groups(iam: Iam, call: Call[Groups]) -> Reply:
    """Put a user into other groups."""
    user = await iam.database.run(_set_groups, iam, call.path["username"], call.body.groups)
    return Reply(answer(iam.now(), "user", user.id.hex(), UserAttributes(user.username, call.body.groups)))


def _set_groups(connection: Connection, iam: Iam, username: str, groups: tuple[str, ...]) -> User:
    user = known_user(connection, username)
    users.set_groups(connection, user.id, groups)
    audit.append(connection, iam.now(), "admin.user.groups", "done", user.id, groups=list(groups))
    return user


async def add_qr_token(iam: Iam, call: Call[NewToken]) -> Reply:
    """Import a token into the cloud and assign it."""
    user = await iam.database.run(known_user, call.path["username"])
    device = await iam.cloud.import_token(
        ImportToken(call.body.serial, call.body.seed_hex, normalise(call.body.display_name).decode())
    )
    await iam.cloud.assign_token(device.device_id, user.id)
    await iam.database.run(_audit, iam, "admin.token.assign", user, token=device.device_id)
    attributes = TokenAttributes(device.serial, device.display_name)
    return Reply(answer(iam.now(), "qr-token", device.device_id, attributes), 201)


async def add_badge(iam: Iam, call: Call[NewBadge]) -> Reply:
    """Make a badge for a user."""
    badge_id = iam.settings.token_bytes(BADGE_ID_BYTES)
    lifetime = call.body.lifetime_days
    expires_at = None if lifetime is None else iam.now() + lifetime * 86400
    badge = IssuedBadge(badge_id, call.body.kind, iam.now(), expires_at)
    content = await iam.database.run(_add_badge, iam, call.path["username"], badge)
    return Reply(answer(iam.now(), "badge", badge_id.hex(), BadgeAttributes(call.body.kind, content)), 201)


def _add_badge(connection: Connection, iam: Iam, username: str, badge: IssuedBadge) -> str:
    user = known_user(connection, username)
    users.add_badge(connection, badge, user.id)
    _audit(connection, iam, "admin.badge.add", user, badge=badge.id.hex(), kind=badge.kind)
    return badges.make(iam.vault, badge.id, user, badge.kind)


async def get_user(iam: Iam, call: Call[Nothing]) -> Reply:
    """Tell about a user and what they have."""
    user, owned_badges, owned_credentials = await iam.database.run(_owned, iam, call.path["username"])
    devices = await iam.cloud.devices(user.id)
    tokens = tuple(Named(each.device_id, each.type, each.display_name) for each in devices)
    attributes = UserAttributes(user.username, user.groups, tokens, owned_badges, owned_credentials)
    return Reply(answer(iam.now(), "user", user.id.hex(), attributes))


def _owned(connection: Connection, iam: Iam, username: str) -> tuple[User, tuple[Named, ...], tuple[Named, ...]]:
    user = known_user(connection, username)
    credentials = users.fido_credentials_of(connection, user.id, iam.fido.rp_id)
    return (
        user,
        tuple(
            Named(each.id.hex(), each.kind)
            for each in users.issued_badges(connection, user.id)
            if each.why_not(iam.now()) is None
        ),
        tuple(Named(each.id.hex(), "fido", each.display_name) for each in credentials),
    )


async def read_audit(iam: Iam, call: Call[Nothing]) -> Reply:
    """Read the audit log, oldest first; ``?after=`` a sequence number goes on from there."""
    after = call.query.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise bad_request("after is a sequence number")
    entries: list[Entry] = await iam.database.run(audit.read, int(after))
    return Reply(list_answer(iam.now(), "audit-entry", [(str(entry.sequence), entry) for entry in entries]))


def known_user(connection: Connection, username: str) -> User:
    """The user of that name.

    Raises:
        ApiError: 404 if there is none.
    """
    user = users.find_user(connection, normalise(username).decode())
    if user is None:
        raise ApiError(404, "USER_NOT_FOUND", "there is no user of that name")
    return user


def _audit(connection: Connection, /, iam: Iam, what: str, user: User, **detail: str) -> None:
    audit.append(connection, iam.now(), what, "done", user.id, **detail)


async def _secrets(iam: Iam, user_id: bytes, password: str) -> tuple[str, bytes]:
    badge_key = await iam.hasher.badge_key(password)
    return await iam.hasher.hash(password), iam.vault.seal(badge_key, badges.badge_key_row(user_id))
