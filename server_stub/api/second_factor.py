"""The IAM's own lockout for codes, apart from the cloud's: per user, whichever device the code is from."""

from collections.abc import Coroutine
from typing import Any

from server_stub.cloud.messages import VerifyResult
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
    subject = user_id.hex()
    lock = await iam.database.run(attempts.reserve, subject, METHOD, iam.now(), iam.settings.iam_lockout)
    if lock:
        verdict.close()
        raise locked(lock.until)
    status = None
    try:
        result = await verdict
        status = result.status
    finally:
        if status in {"approved", "declined"}:
            await iam.database.run(attempts.clear, subject, METHOD)
        elif status != "wrong_code":
            await iam.database.run(attempts.release, subject, METHOD)
    return result
