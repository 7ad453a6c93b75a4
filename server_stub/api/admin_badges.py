"""Administration of badges: list, void one, void all of a user, void all of everybody."""

from typing import Literal

from sqlalchemy import Connection

from server_stub.api.admin import known_user
from server_stub.api.envelope import Document, Request, answer, list_answer, timestamp
from server_stub.api.routing import Call, Nothing, Reply
from server_stub.errors import ApiError
from server_stub.iam import Iam
from server_stub.store import users
from server_stub.store.iam import audit
from server_stub.store.users import IssuedBadge


class BadgeState(Document, frozen=True):
    """A badge that was issued; never its content."""

    kind: str
    created_at: str
    expires_at: str | None
    voided_at: str | None
    uses: int


class Voided(Document, frozen=True):
    """How many badges that were good are void now."""

    voided: int


class VoidAll(Request, frozen=True):
    """``everybody`` is written out, so that nobody voids all badges by a short cut."""

    of: Literal["everybody"]


async def list_badges(iam: Iam, call: Call[Nothing]) -> Reply:
    """List all badges that a user was ever given."""
    issued = await iam.database.run(_issued, call.path["username"])
    return Reply(list_answer(iam.now(), "badge", [(each.id.hex(), _state(each)) for each in issued]))


async def void_badge(iam: Iam, call: Call[Nothing]) -> Reply:
    """Void one badge of a user: it was lost."""
    voided = await iam.database.run(_void_one, iam, call.path["username"], call.path["badge"])
    return Reply(answer(iam.now(), "badges", call.path["badge"], Voided(voided)))


async def void_badges(iam: Iam, call: Call[Nothing]) -> Reply:
    """Void all badges of a user."""
    voided = await iam.database.run(_void_all, iam, call.path["username"])
    return Reply(answer(iam.now(), "badges", "all", Voided(voided)))


async def void_everybodys(iam: Iam, _: Call[VoidAll]) -> Reply:
    """Void all badges of everybody: a stack of them was lost."""
    voided = await iam.database.run(_void_all, iam, None)
    return Reply(answer(iam.now(), "badges", "all", Voided(voided)))


def _issued(connection: Connection, username: str) -> list[IssuedBadge]:
    return users.issued_badges(connection, known_user(connection, username).id)


def _state(badge: IssuedBadge) -> BadgeState:
    expires_at = None if badge.expires_at is None else timestamp(badge.expires_at)
    voided_at = None if badge.voided_at is None else timestamp(badge.voided_at)
    return BadgeState(badge.kind, timestamp(badge.created_at), expires_at, voided_at, badge.uses)


def _void_one(connection: Connection, iam: Iam, username: str, badge: str) -> int:
    user = known_user(connection, username)
    if badge not in {each.id.hex() for each in users.issued_badges(connection, user.id)}:
        raise ApiError(404, "BADGE_UNKNOWN", "the user has no such badge")
    voided = users.void_badges(connection, iam.now(), user.id, bytes.fromhex(badge))
    audit.append(connection, iam.now(), "admin.badge.void", "done", user.id, badge=badge)
    return voided


def _void_all(connection: Connection, iam: Iam, username: str | None) -> int:
    user = known_user(connection, username) if username is not None else None
    voided = users.void_badges(connection, iam.now(), user.id if user else None)
    audit.append(connection, iam.now(), "admin.badge.void-all", "done", user.id if user else None, voided=voided)
    return voided
