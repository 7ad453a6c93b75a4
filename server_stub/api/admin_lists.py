"""Administration: who there is, and who and what is locked out, without knowing a name."""

from itertools import groupby

from sqlalchemy import Connection

from server_stub.api.admin_care import LocksAttributes, WrongAttempts, wrong_attempts
from server_stub.api.envelope import Document, list_answer, timestamp
from server_stub.api.routing import Call, Nothing, Reply
from server_stub.cloud.messages import TokenLock
from server_stub.errors import bad_request
from server_stub.factors.password import normalise
from server_stub.iam import Iam
from server_stub.store import users
from server_stub.store.iam import attempts

PAGE = 1000
"""How many users are listed at once."""
MAX_QUERY = 64


class UserSummary(Document, frozen=True):
    """A user, in a list."""

    username: str
    groups: tuple[str, ...]


class TokenLocksAttributes(Document, frozen=True):
    """What the cloud counts against a token. What the IAM counts against its users is apart from it."""

    serial: str
    users: tuple[str, ...]
    wrong_attempts: tuple[WrongAttempts, ...]


async def list_users(iam: Iam, call: Call[Nothing]) -> Reply:
    """List users by name, a thousand at a time."""
    after, part = (_text(call, name) for name in ("after", "q"))
    found = await iam.database.run_aside(users.page, after, part, PAGE)
    items = [(each.id.hex(), UserSummary(each.username, each.groups)) for each in found]
    return Reply(list_answer(iam.now(), "user", items))


def _text(call: Call[Nothing], name: str) -> str:
    text = normalise(call.query.get(name, "")).decode()
    if len(text) > MAX_QUERY:
        raise bad_request(f"{name} has up to {MAX_QUERY} characters")
    return text


async def list_locks(iam: Iam, _: Call[Nothing]) -> Reply:
    """List the users against whom the IAM counts something, those who are locked first."""
    items = await iam.database.run_aside(_locks, iam.now())
    items.sort(key=lambda item: (not _is_locked(item[1].wrong_attempts), item[1].username))
    return Reply(list_answer(iam.now(), "user-locks", items))


def _locks(connection: Connection, now: float) -> list[tuple[str, LocksAttributes]]:
    # What is counted against a name that nobody has is not told: it may be a password.
    names = users.names(connection)
    return [
        (user_id, LocksAttributes(names[user_id], wrong_attempts(counts)))
        for user_id, counts in attempts.all_counts(connection, now).items()
        if user_id in names
    ]


async def list_token_locks(iam: Iam, _: Call[Nothing]) -> Reply:
    """List the tokens against which the cloud counts something, those that are locked first."""
    names = await iam.database.run_aside(users.names)
    items = []
    for device_id, group in groupby(await iam.cloud.token_locks(), lambda lock: lock.device_id):
        locks = list(group)
        having = tuple(names.get(user, user) for user in locks[0].user_ids)
        counted = tuple(_wrong_attempts(lock) for lock in locks)
        items.append((device_id, TokenLocksAttributes(locks[0].serial, having, counted)))
    items.sort(key=lambda item: (not _is_locked(item[1].wrong_attempts), item[1].serial))
    return Reply(list_answer(iam.now(), "token-locks", items))


def _wrong_attempts(lock: TokenLock) -> WrongAttempts:
    until = timestamp(lock.locked_until) if lock.locked_until is not None else None
    return WrongAttempts(lock.method, lock.failures, lock.locked, until)


def _is_locked(counted: tuple[WrongAttempts, ...]) -> bool:
    return any(each.locked for each in counted)
