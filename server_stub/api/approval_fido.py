"""Transaction approval with a FIDO key: the challenge stands for the recorded transaction, and for nothing else."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from server_stub.alarms import raise_alarm
from server_stub.api.envelope import Document, answer
from server_stub.api.fido import AssertionCheck
from server_stub.api.routing import Call, Nothing, Reply
from server_stub.api.transaction_approval import DATA_TYPE, approve, credentials_in, reply, require_in
from server_stub.errors import ApiError, unexpected_call
from server_stub.factors.fido import FidoRefused, stands_for
from server_stub.iam import Iam
from server_stub.sessions import FidoChallenge
from server_stub.store import approvals, users
from server_stub.store.approvals import FIDO_RESPONSE_REQUIRED, FIDO_RETRIEVAL_REQUIRED, Approval
from server_stub.store.iam import audit

APPROVAL = "approval"
"""The purpose of a challenge."""


class ApprovalFidoAttributes(Document, frozen=True):
    """``publicKey``: options for ``navigator.credentials.get()``, in their JSON form."""

    next_step: str | None
    public_key: dict[str, Any]


async def retrieve_challenge(iam: Iam, call: Call[Nothing]) -> Reply:
    """Make a challenge for the recorded transaction; one made before no longer counts."""
    approval, public_key = await iam.database.run(_challenge, iam, call)
    attributes = ApprovalFidoAttributes(approval.step, public_key)
    return Reply(answer(iam.now(), DATA_TYPE, str(approval.id), attributes))


def _challenge(connection: Connection, iam: Iam, call: Call[Nothing]) -> tuple[Approval, dict[str, Any]]:
    approval = require_in(connection, iam, call, FIDO_RETRIEVAL_REQUIRED, FIDO_RESPONSE_REQUIRED)
    options = iam.fido.request_options(credentials_in(connection, iam, approval), about=_recorded(approval))
    challenge = FidoChallenge(APPROVAL, options.state, iam.now() + iam.settings.fido_challenge_ttl)
    approval = approvals.move(connection, approval, step=FIDO_RESPONSE_REQUIRED, fido=challenge)
    return approval, options.public_key


def _recorded(approval: Approval) -> bytes:
    """What is approved, in one form: whose approval, and the parameters in order."""
    assert approval.user_id is not None
    what = [approval.reference, approval.flow, approval.user_id.hex(), sorted((approval.transaction or {}).items())]
    return msgspec.json.encode(what)


async def check_assertion(iam: Iam, call: Call[AssertionCheck]) -> Reply:
    """Check the assertion: if it is right, the recorded transaction is approved. Its challenge is spent in any case."""
    outcome = await iam.database.run(_check, iam, call)
    if isinstance(outcome, ApiError):
        raise outcome
    return reply(iam, outcome)


def _check(connection: Connection, iam: Iam, call: Call[AssertionCheck]) -> Approval | ApiError:
    """All of it in one transaction. A refusal is returned, so that what was spent and counted stays so."""
    approval = require_in(connection, iam, call, FIDO_RESPONSE_REQUIRED)
    challenge, user_id = approval.fido, approval.user_id
    assert challenge is not None
    assert user_id is not None
    approval = approvals.move(connection, approval, step=FIDO_RETRIEVAL_REQUIRED, fido=None)
    if challenge.expires_at <= iam.now():
        return unexpected_call("the FIDO challenge has expired; ask for a new one")
    if not stands_for(challenge.state, _recorded(approval)):
        return _refuse(connection, iam, approval, "the challenge was made for another transaction")
    credentials = users.fido_credentials_of(connection, user_id, iam.fido.rp_id)
    try:
        used, count = iam.fido.verify_assertion(challenge.state, user_id, credentials, call.body.credential)
    except FidoRefused as error:
        return _refuse(connection, iam, approval, str(error))
    if not users.count_signature(connection, used, count, iam.now()):
        about = {"credential": used.hex(), "approval": approval.reference}
        raise_alarm(connection, iam, "signature counter did not grow", approval.user_id, **about)
        if iam.settings.fido_counter_regression == "refuse":
            sentence = "the signature counter did not grow: the key may have been copied"
            return _refuse(connection, iam, approval, sentence)
    return approve(connection, iam, approval, credential=used.hex(), challenge=challenge.state["challenge"])


def _refuse(connection: Connection, iam: Iam, approval: Approval, sentence: str) -> ApiError:
    about = {"why": sentence, "approval": approval.reference}
    audit.append(connection, iam.now(), "fido", "FIDO_ASSERTION_WRONG", approval.user_id, **about)
    return ApiError(400, "FIDO_ASSERTION_WRONG", sentence)
