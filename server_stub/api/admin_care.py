"""Administration of what goes wrong: locks in both places, rows that have expired, and an audit log that does not verify."""

from collections.abc import Sequence

from sqlalchemy import Connection

from server_stub.api.admin import known_user
from server_stub.api.envelope import Document, answer, timestamp
from server_stub.api.routing import Call, Nothing, Reply
from server_stub.iam import Iam
from server_stub.limits import Count
from server_stub.store.iam import attempts, audit
from server_stub.store.users import User
from server_stub.sweep import sweep_iam


class WrongAttempts(Document, frozen=True):
    """Wrong attempts in a row by one method; ``lockedUntil`` is null when not locked, or when only an unlock helps."""

    method: str
    failures: int
    locked: bool
    locked_until: str | None


class LocksAttributes(Document, frozen=True):
    """What the IAM counts against a user. What the cloud counts against a token is apart from it."""

    username: str
    wrong_attempts: tuple[WrongAttempts, ...]


class UnlockedToken(Document, frozen=True):
    """A token whose wrong codes are forgiven in the cloud."""

    serial: str


class SweptAttributes(Document, frozen=True):
    """How many expired rows the IAM removed."""

    sessions: int
    approvals: int
    device_tokens: int
    used_tickets: int
    attempts: int
    addresses: int


class AuditVerdict(Document, frozen=True):
    """``firstBrokenRow``: the first row that was changed, removed or slipped in; null when the chain is whole."""

    intact: bool
    rows: int
    last_hash: str
    first_broken_row: int | None


async def get_locks(iam: Iam, call: Call[Nothing]) -> Reply:
    """Tell what is counted against a user in the IAM."""
    return _locks(iam, await iam.database.run(known_user, call.path["username"]), await _counts(iam, call))


async def unlock_user(iam: Iam, call: Call[Nothing]) -> Reply:
    """Forgive a user's wrong attempts in the IAM; what the cloud counts against their tokens stays."""
    user = await iam.database.run(_unlock, iam, call.path["username"])
    return _locks(iam, user, await _counts(iam, call))


async def unlock_token(iam: Iam, call: Call[Nothing]) -> Reply:
    """Forgive a token's wrong codes in the cloud; what the IAM counts against its user stays."""
    user = await iam.database.run(known_user, call.path["username"])
    device = await iam.cloud.unlock_token(call.path["device"], user.id)
    await iam.database.run(_audit, iam, "admin.token.unlock", user, token=device.device_id)
    return Reply(answer(iam.now(), "qr-token", device.device_id, UnlockedToken(device.serial)))


async def sweep(iam: Iam, _: Call[Nothing]) -> Reply:
    """Remove the IAM's expired rows now."""
    swept = await iam.database.run_aside(sweep_iam, iam)
    return Reply(answer(iam.now(), "sweep", "now", SweptAttributes(**swept)))


async def verify_audit(iam: Iam, _: Call[Nothing]) -> Reply:
    """Check the hash chain of the audit log from its first row to its last."""
    broken, rows, last = await iam.database.run_aside(_verify)
    return Reply(answer(iam.now(), "audit-verdict", str(rows), AuditVerdict(broken is None, rows, last, broken)))


async def _counts(iam: Iam, call: Call[Nothing]) -> tuple[WrongAttempts, ...]:
    user = await iam.database.run(known_user, call.path["username"])
    return wrong_attempts(await iam.database.run(attempts.counts, user.id.hex(), iam.now()))


def wrong_attempts(counts: Sequence[Count]) -> tuple[WrongAttempts, ...]:
    """What was counted, as administrators see it."""
    return tuple(
        WrongAttempts(
            each.method,
            each.failures,
            each.lock is not None,
            timestamp(each.lock.until) if each.lock and each.lock.until is not None else None,
        )
        for each in counts
    )


def _locks(iam: Iam, user: User, counts: tuple[WrongAttempts, ...]) -> Reply:
    return Reply(answer(iam.now(), "user-locks", user.id.hex(), LocksAttributes(user.username, counts)))


def _unlock(connection: Connection, iam: Iam, username: str) -> User:
    user = known_user(connection, username)
    attempts.clear_all(connection, user.id.hex())
    _audit(connection, iam, "admin.user.unlock", user)
    return user


def _audit(connection: Connection, /, iam: Iam, what: str, user: User, **detail: str) -> None:
    audit.append(connection, iam.now(), what, "done", user.id, **detail)


def _verify(connection: Connection) -> tuple[int | None, int, str]:
    return audit.verify(connection), *audit.head(connection)
