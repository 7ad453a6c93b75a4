"""The IAM's own lockout for codes, apart from the cloud's: per user, whichever device the code is from."""

from collections.abc import Coroutine
from typing import Any

from sqlalchemy import Connection

from server_stub.cloud.messages import Status, VerifyResult
from server_stub.errors import ApiError
from server_stub.factors.offline_qr import locked
from server_stub.iam import Iam
from server_stub.store.iam import attempts

METHOD = "AIRLOCK_2FA"
"""What failed attempts are counted under."""


async def refuse_locked(iam: Iam, user_id: bytes) -> None:
    """Nothing is made for a user who may not answer it.

    Raises:
        ApiError: 403 if the user is locked.
    """
    lock = await iam.database.run(attempts.lock, user_id.hex(), METHOD, iam.now())
    if lock:
        raise locked(lock.until)


async def judge(iam: Iam, user_id: bytes, verdict: Coroutine[Any, Any, VerifyResult]) -> VerifyResult:
    """The cloud's ``verdict`` on a code, asked for only while the user is not locked here.

    The attempt counts as wrong before the cloud is asked; it is taken back when the cloud judged nothing.

    Raises:
        ApiError: 403 if the user is locked.
    """
    try:
        await iam.database.run(refuse_or_reserve, iam, user_id)
    except ApiError:
        verdict.close()
        raise
    status = None
    try:
        result = await verdict
        status = result.status
    finally:
        await iam.database.run(settle, user_id, status)
    return result


def refuse_or_reserve(connection: Connection, iam: Iam, user_id: bytes) -> None:
    """Count an attempt as wrong, in the caller's transaction.

    Raises:
        ApiError: 403 if the user is locked.
    """
    lock = attempts.reserve(connection, user_id.hex(), METHOD, iam.now(), iam.settings.iam_lockout)
    if lock:
        raise locked(lock.until)


def settle(connection: Connection, user_id: bytes, status: Status | None) -> None:
    """What the cloud made of a reserved attempt; None when it made nothing of it."""
    if status in {"approved", "declined"}:
        attempts.clear(connection, user_id.hex(), METHOD)
    elif status != "wrong_code":
        attempts.release(connection, user_id.hex(), METHOD)
