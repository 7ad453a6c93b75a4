"""Transaction approvals: what a user is asked to approve, as the server recorded it."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from server_stub.errors import unexpected_call
from server_stub.sessions import FidoChallenge, hash_token
from server_stub.store.iam import approvals, users

USERNAME_REQUIRED = "USERNAME_REQUIRED"
PARAMETERS_REQUIRED = "PARAMETERS_REQUIRED"
RETRIEVAL_REQUIRED = "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
OTP_REQUIRED = "AIRLOCK_2FA_OTP_REQUIRED"
POLLING_REQUIRED = "AIRLOCK_2FA_POLLING_OR_OTP_REQUIRED"
FIDO_RETRIEVAL_REQUIRED = "FIDO_AUTHENTICATION_CHALLENGE_RETRIEVAL_REQUIRED"
FIDO_RESPONSE_REQUIRED = "FIDO_AUTHENTICATION_RESPONSE_REQUIRED"
DENIED = "DENIED"
"""No step: the user said no, and nothing can follow."""


class Approval(msgspec.Struct, frozen=True):
    """One approval; ``step`` is what comes next, None once it is approved, ``DENIED`` once it is denied."""

    id: int
    token_hash: bytes
    flow: str
    step: str | None
    user_id: bytes | None
    username: str | None
    device_id: str | None
    transaction: dict[str, str] | None
    """The parameters, as the server was told them once and for all."""
    challenge_id: str | None
    push_id: str | None
    fido: FidoChallenge | None
    expires_at: float

    @property
    def reference(self) -> str:
        """What the cloud calls this approval."""
        return f"approval-{self.id}"


def start(connection: Connection, token: str, flow: str, expires_at: float) -> Approval:
    """A new approval that knows nothing yet."""
    connection.execute(
        insert(approvals).values(token_hash=hash_token(token), flow=flow, step=USERNAME_REQUIRED, expires_at=expires_at)
    )
    approval = load(connection, token, 0.0)
    assert approval is not None
    return approval


def load(connection: Connection, token: str, now: float) -> Approval | None:
    """The approval that ``token`` opens, unless there is none or its time is over."""
    row = connection.execute(
        select(approvals, users.c.username)
        .outerjoin(users, users.c.id == approvals.c.user_id)
        .where(approvals.c.token_hash == hash_token(token), approvals.c.expires_at > now)
    ).one_or_none()
    return _approval(row) if row else None


def move(connection: Connection, /, before: Approval, **changes: Any) -> Approval:
    """Write ``changes`` if nothing moved since ``before`` was read; the approval as it is then.

    Raises:
        ApiError: UNEXPECTED_CALL if another request was faster.
    """
    after = msgspec.structs.replace(before, **changes)
    changed = connection.execute(
        update(approvals)
        .where(
            approvals.c.id == before.id,
            approvals.c.step == before.step,
            approvals.c.challenge_id.is_not_distinct_from(before.challenge_id),
            approvals.c.push_id.is_not_distinct_from(before.push_id),
            approvals.c.fido.is_not_distinct_from(_text(before.fido)),
        )
        .values(
            step=after.step,
            user_id=after.user_id,
            device_id=after.device_id,
            transaction=msgspec.json.encode(after.transaction).decode() if after.transaction else None,
            challenge_id=after.challenge_id,
            push_id=after.push_id,
            fido=_text(after.fido),
        )
    )
    if not changed.rowcount:
        raise unexpected_call("another request of this approval was faster")
    return after


def _approval(row: Row[Any]) -> Approval:
    transaction = msgspec.json.decode(row.transaction, type=dict[str, str]) if row.transaction else None
    return Approval(
        row.id,
        row.token_hash,
        row.flow,
        row.step,
        row.user_id,
        row.username,
        row.device_id,
        transaction,
        row.challenge_id,
        row.push_id,
        msgspec.json.decode(row.fido, type=FidoChallenge) if row.fido else None,
        row.expires_at,
    )


def _text(challenge: FidoChallenge | None) -> str | None:
    return msgspec.json.encode(challenge).decode() if challenge else None
