"""Users and their badges."""

from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from server_stub.criteria import Who
from server_stub.errors import ApiError
from server_stub.store.iam import badges, fido_credentials, users
from server_stub.store.prepared import Prepared


@dataclass(frozen=True, slots=True)
class User:
    """Someone who can log in."""

    id: bytes
    username: str
    password_hash: str = field(repr=False)
    sealed_badge_key: bytes = field(repr=False)
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IssuedBadge:
    """A badge that was made; times in seconds since 1970."""

    id: bytes
    kind: str
    created_at: float
    expires_at: float | None = None
    voided_at: float | None = None
    uses: int = 0

    def why_not(self, now: float) -> str | None:
        """Why it is no longer good; None when it is."""
        if self.voided_at is not None:
            return "the badge is void"
        return "the badge has expired" if self.expires_at is not None and self.expires_at <= now else None


@dataclass(frozen=True, slots=True)
class Badge:
    """What the server knows of a badge, and whose it is."""

    issued: IssuedBadge
    user: User


@dataclass(frozen=True, slots=True)
class FidoCredential:
    """A FIDO credential that a user registered."""

    id: bytes
    user_id: bytes
    rp_id: str
    display_name: str
    credential_data: bytes
    sign_count: int
    created_at: float = 0.0
    last_used_at: float | None = None


# Statements of every login are made once: to put one together takes longer than to run it.
_BY_ID = Prepared(select(users).where(users.c.id == bindparam("user")))
_BY_ID_HELD = Prepared(select(users).where(users.c.id == bindparam("user")).with_for_update(read=True))
_BY_NAME = Prepared(select(users).where(users.c.username == bindparam("name")))
_GROUPS = Prepared(select(users.c.groups).where(users.c.id == bindparam("user")))
_CREDENTIALS = Prepared(
    select(fido_credentials)
    .where(fido_credentials.c.user_id == bindparam("user"), fido_credentials.c.rp_id == bindparam("rp"))
    .order_by(fido_credentials.c.created_at)
)
_GROWN = Prepared(
    update(fido_credentials)
    .where(fido_credentials.c.id == bindparam("credential"), fido_credentials.c.sign_count < bindparam("new_count"))
    .values(sign_count=bindparam("new_count"), last_used_at=bindparam("now"))
)
_NEVER_COUNTED = Prepared(
    update(fido_credentials)
    .where(fido_credentials.c.id == bindparam("credential"), fido_credentials.c.sign_count == 0)
    .values(sign_count=0, last_used_at=bindparam("now"))
)


def add_user(connection: Connection, user: User) -> None:
    """A new user.

    Raises:
        ApiError: 409 if the name is taken.
    """
    try:
        connection.execute(
            insert(users).values(
                id=user.id,
                username=user.username,
                password_hash=user.password_hash,
                sealed_badge_key=user.sealed_badge_key,
                groups=msgspec.json.encode(user.groups).decode(),
            )
        )
    except IntegrityError as error:
        raise ApiError(409, "USER_EXISTS", f"there is a user {user.username!r} already") from error


def find_user(connection: Connection, username: str) -> User | None:
    """The user of that name."""
    row = _BY_NAME.one_or_none(connection, {"name": username})
    return _user(row) if row else None


def load_user(connection: Connection, user_id: bytes) -> User | None:
    """The user of that permanent id, if there is one."""
    row = _BY_ID.one_or_none(connection, {"user": user_id})
    return _user(row) if row else None


def get_user(connection: Connection, user_id: bytes) -> User:
    """The user of that permanent id, which must exist; nobody changes it before the transaction ends."""
    user = _BY_ID_HELD.one_or_none(connection, {"user": user_id})
    assert user is not None
    return _user(user)


def who(connection: Connection, user_id: bytes, rp_id: str) -> Who:
    """What policies may ask about a user; of a user who does not exist nothing holds."""
    return who_with(connection, user_id, fido_credentials_of(connection, user_id, rp_id))


def who_with(connection: Connection, user_id: bytes, credentials: list[FidoCredential]) -> Who:
    """As ``who``, when the credentials are known already."""
    row = _GROUPS.scalar(connection, {"user": user_id})
    groups = msgspec.json.decode(row, type=frozenset[str]) if row else frozenset()
    return Who(groups, bool(credentials))


def set_password(connection: Connection, user_id: bytes, password_hash: str, sealed_badge_key: bytes) -> None:
    """A new password and, with it, a new badge key: secure badges made before can no longer be opened."""
    connection.execute(
        update(users)
        .where(users.c.id == user_id)
        .values(password_hash=password_hash, sealed_badge_key=sealed_badge_key)
    )


def rename(connection: Connection, user_id: bytes, username: str) -> None:
    """Another name for the same user: tokens, keys, badges and sessions stay.

    Raises:
        ApiError: 409 if the name is taken.
    """
    try:
        with connection.begin_nested():
            connection.execute(update(users).where(users.c.id == user_id).values(username=username))
    except IntegrityError as error:
        raise ApiError(409, "USER_EXISTS", f"there is a user {username!r} already") from error


def set_groups(connection: Connection, user_id: bytes, groups: tuple[str, ...]) -> None:
    """Other groups."""
    connection.execute(update(users).where(users.c.id == user_id).values(groups=msgspec.json.encode(groups).decode()))


def names(connection: Connection) -> dict[str, str]:
    """The name of each user, by permanent id in hex."""
    return {row.id.hex(): row.username for row in connection.execute(select(users.c.id, users.c.username))}


def page(connection: Connection, after: str, part: str, most: int) -> list[User]:
    """Up to ``most`` users in the order of their names, from behind ``after`` on, whose names hold ``part`` in whatever case."""
    wanted = part.casefold()
    with connection.execute(select(users).where(users.c.username > after).order_by(users.c.username)) as rows:
        return [_user(row) for row in islice((row for row in rows if wanted in row.username.casefold()), most)]


def add_badge(connection: Connection, badge: IssuedBadge, user_id: bytes) -> None:
    """Remember a badge that is about to be printed."""
    connection.execute(
        insert(badges).values(
            id=badge.id,
            user_id=user_id,
            kind=badge.kind,
            created_at=badge.created_at,
            expires_at=badge.expires_at,
        )
    )


def find_badge(connection: Connection, badge_id: bytes) -> Badge | None:
    """The badge and its user."""
    row = connection.execute(
        select(badges, users.c.username, users.c.password_hash, users.c.sealed_badge_key, users.c.groups)
        .join(users, users.c.id == badges.c.user_id)
        .where(badges.c.id == badge_id)
    ).one_or_none()
    if row is None:
        return None
    groups = msgspec.json.decode(row.groups, type=tuple[str, ...])
    user = User(row.user_id, row.username, row.password_hash, row.sealed_badge_key, groups)
    return Badge(_issued(row), user)


def issued_badges(connection: Connection, user_id: bytes) -> list[IssuedBadge]:
    """A user's badges, oldest first, the void ones too."""
    rows = connection.execute(select(badges).where(badges.c.user_id == user_id).order_by(badges.c.created_at))
    return [_issued(row) for row in rows]


def void_badges(connection: Connection, now: float, user_id: bytes | None, badge_id: bytes | None = None) -> int:
    """Void one badge, all of a user, or (without a user) all; how many were good until now."""
    good: ColumnElement[bool] = badges.c.voided_at.is_(None)
    if user_id is not None:
        good &= badges.c.user_id == user_id
    if badge_id is not None:
        good &= badges.c.id == badge_id
    return connection.execute(update(badges).where(good).values(voided_at=now)).rowcount


def count_use(connection: Connection, badge_id: bytes) -> None:
    """A badge has said or proven who someone is."""
    connection.execute(update(badges).where(badges.c.id == badge_id).values(uses=badges.c.uses + 1))


def _issued(row: Row[Any]) -> IssuedBadge:
    return IssuedBadge(row.id, row.kind, row.created_at, row.expires_at, row.voided_at, row.uses)


def add_fido_credential(connection: Connection, credential: FidoCredential) -> None:
    """Remember a registered credential.

    Raises:
        ApiError: 409 if the credential id is registered already, for whomever.
    """
    try:
        connection.execute(
            insert(fido_credentials).values(
                id=credential.id,
                user_id=credential.user_id,
                rp_id=credential.rp_id,
                display_name=credential.display_name,
                credential_data=credential.credential_data,
                sign_count=credential.sign_count,
                created_at=credential.created_at,
            )
        )
    except IntegrityError as error:
        raise ApiError(409, "FIDO_CREDENTIAL_EXISTS", "this credential is registered already") from error


def fido_credentials_of(connection: Connection, user_id: bytes, rp_id: str) -> list[FidoCredential]:
    """A user's credentials for one RP ID, oldest first."""
    rows = _CREDENTIALS.all(connection, {"user": user_id, "rp": rp_id})
    return [
        FidoCredential(
            row.id,
            row.user_id,
            row.rp_id,
            row.display_name,
            row.credential_data,
            row.sign_count,
            row.created_at,
            row.last_used_at,
        )
        for row in rows
    ]


def rename_fido_credential(connection: Connection, credential_id: bytes, display_name: str) -> None:
    """Another name."""
    changed = update(fido_credentials).where(fido_credentials.c.id == credential_id)
    connection.execute(changed.values(display_name=display_name))


def remove_fido_credential(connection: Connection, credential_id: bytes) -> None:
    """The credential opens nothing any more."""
    connection.execute(delete(fido_credentials).where(fido_credentials.c.id == credential_id))


def count_signature(connection: Connection, credential_id: bytes, sign_count: int, now: float) -> bool:
    """Store the signature counter of an assertion (WebAuthn §7.2 step 22); False if it did not grow, as a clone's would."""
    statement = _GROWN if sign_count else _NEVER_COUNTED
    values = {"credential": credential_id, "now": now} | ({"new_count": sign_count} if sign_count else {})
    return bool(statement.changed(connection, values))


def _user(row: Row[Any]) -> User:
    groups = msgspec.json.decode(row.groups, type=tuple[str, ...])
    return User(row.id, row.username, row.password_hash, row.sealed_badge_key, groups)
