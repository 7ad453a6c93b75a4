"""Challenges: issue and verify. Whatever counts is decided by conditional updates inside one transaction.

Limits (otq1 §8.4): a challenge is dead after three wrong codes, one right one, or its time; a new one for the same
caller's session cancels the old; a token has at most three open ones; a token locks after five wrong codes in a row.
"""

import hmac

from sqlalchemy import Connection, Row, bindparam, case, insert, select, update

from offline_qr.otq1 import (
    Challenge,
    Field,
    Header,
    MessageType,
    Otq1Error,
    compute_code,
    compute_decline_code,
    encode,
    key_id,
)
from offline_qr.otq1.body import parse_body
from offline_qr.otq1.header import parse_header
from server_stub.cloud.messages import Auth, AuthResult, Status, Verify, VerifyResult
from server_stub.cloud.store import attempts, audit, challenges
from server_stub.cloud.tokens import Token, open_token, used
from server_stub.errors import ApiError, bad_request
from server_stub.limits import SCHEDULE, Schedule
from server_stub.store.prepared import Prepared
from server_stub.vault import Vault

MAX_WRONG = 3
MAX_OPEN = 3
METHOD = "offline_qrcode"
_ONE_MORE_WRONG = {
    "wrong": challenges.c.wrong + 1,
    "state": case((challenges.c.wrong + 1 >= MAX_WRONG, "dead"), else_="open"),
}
_LIVE = (
    (challenges.c.id == bindparam("challenge"))
    & (challenges.c.state == "open")
    & (challenges.c.expires_at > bindparam("now"))
)
_OF_USER = Prepared(
    select(challenges).where(challenges.c.id == bindparam("challenge"), challenges.c.user_id == bindparam("user"))
)
_CLOSE = Prepared(update(challenges).where(_LIVE).values(state=bindparam("outcome")).returning(challenges.c.wrong))
_COUNT = Prepared(update(challenges).where(_LIVE).values(_ONE_MORE_WRONG).returning(challenges.c.wrong))
_OPEN_OF_TOKEN = (challenges.c.token_id == bindparam("of")) & (challenges.c.state == "open")
_NEWEST = select(challenges.c.id).where(_OPEN_OF_TOKEN).order_by(challenges.c.issued_at.desc()).limit(MAX_OPEN - 1)
_CANCEL_OLD = Prepared(
    update(challenges).where(_OPEN_OF_TOKEN, challenges.c.id.not_in(_NEWEST)).values(state="cancelled")
)
_CANCEL_OF_REFERENCE = Prepared(
    update(challenges)
    .where(challenges.c.reference == bindparam("of"), challenges.c.state == "open")
    .values(state="cancelled")
)
_NEW = ("id", "token_id", "user_id", "reference", "header", "body", "issued_at", "expires_at")
_ISSUE = Prepared(
    insert(challenges).values({name: bindparam(f"new_{name}") for name in _NEW} | {"wrong": 0, "state": "open"})
)
TYPES = {"login": MessageType.LOGIN, "transaction": MessageType.TRANSACTION}


def issue(connection: Connection, vault: Vault, challenge_id: bytes, message: Auth, now: float) -> AuthResult:
    """Make a challenge for one token of the user.

    Raises:
        ApiError: 404 if the user has no such token, 400 if a field cannot be shown, 423 if the token is locked.
    """
    token = open_token(connection, vault, message.device_id, message.user_id)
    if token is None:
        raise ApiError(404, "DEVICE_UNKNOWN", "the user has no such device")
    lock = attempts.lock(connection, token.id, METHOD, now)
    if lock:
        raise ApiError(423, "LOCKED_OUT", "too many wrong codes: the token is locked", lock.until)
    challenge = _make(token, challenge_id, message, now)
    _cancel_others(connection, token.id, message.reference)
    expires_at = challenge.header.issued_at + float(message.ttl)
    row = {
        "id": challenge_id.hex(),
        "token_id": token.id,
        "user_id": message.user_id,
        "reference": message.reference,
        "header": challenge.header.pack(),
        "body": challenge.body,
        "issued_at": now,
        "expires_at": expires_at,
    }
    _ISSUE.changed(connection, {f"new_{name}": value for name, value in row.items()})
    audit.append(
        connection, now, "challenge.issue", message.type, bytes.fromhex(message.user_id), challenge=challenge_id.hex()
    )
    return AuthResult(challenge_id.hex(), encode(challenge, token.keys), expires_at)


def verify(
    connection: Connection, vault: Vault, message: Verify, now: float, schedule: Schedule = SCHEDULE
) -> VerifyResult:
    """Judge one code. Of any number of submissions of the right code, exactly one is allowed."""
    wanted = {"challenge": message.session_id, "user": message.user_id}
    row = _OF_USER.one_or_none(connection, wanted)
    token = open_token(connection, vault, row.token_id, message.user_id) if row else None
    if row is None or token is None:
        return VerifyResult("deny", "unknown_session")
    # 1. Count the attempt as wrong before looking at it. This takes the token's row: from here on, two submissions
    #    for one token are decided one after the other on any database.
    lock = attempts.reserve(connection, token.id, METHOD, now, schedule)
    if lock:
        result = VerifyResult("deny", "locked_out", locked_until=lock.until)
    else:
        result = _judge(connection, row, token, message.code, now)
    audit.append(
        connection,
        now,
        "challenge.verify",
        result.status,
        bytes.fromhex(message.user_id),
        challenge=row.id,
        token=token.id,
    )
    return result


def _judge(connection: Connection, row: Row[tuple[object, ...]], token: Token, code: str, now: float) -> VerifyResult:
    # 2. The code is computed from what was stored when the challenge was issued, never from anything sent now.
    challenge = Challenge(parse_header(row.header), parse_body(row.body))
    right = hmac.compare_digest(compute_code(challenge, token.keys).encode(), code.encode())
    declined = not right and hmac.compare_digest(compute_decline_code(challenge, token.keys).encode(), code.encode())
    # 3. One conditional update decides whether the challenge was still open.
    judged: dict[str, object] = {"challenge": row.id, "now": now}
    if right or declined:
        statement, judged = _CLOSE, judged | {"outcome": "used" if right else "declined"}
    else:
        statement = _COUNT
    wrong = statement.scalar(connection, judged)
    if wrong is None:
        # 4. A challenge that is not open judges nothing, so nothing counts.
        attempts.release(connection, token.id, METHOD)
        return VerifyResult("deny", _why_closed(connection, row.id))
    if right or declined:
        attempts.clear(connection, token.id, METHOD)
        used(connection, token.id, now)
        return VerifyResult("allow", "approved") if right else VerifyResult("deny", "declined")
    return VerifyResult("deny", "wrong_code", attempts_left=MAX_WRONG - wrong)


def _why_closed(connection: Connection, challenge_id: str) -> Status:
    state = connection.execute(select(challenges.c.state).where(challenges.c.id == challenge_id)).scalar_one()
    states: dict[str, Status] = {"used": "used", "dead": "dead", "cancelled": "cancelled", "declined": "declined"}
    return states.get(state, "expired")


def _make(token: Token, challenge_id: bytes, message: Auth, now: float) -> Challenge:
    try:
        header = Header(TYPES[message.type], key_id(token.serial), challenge_id, int(now), message.ttl)
        challenge = Challenge(header, tuple(Field(field.tag, field.value, field.label) for field in message.fields))
        encode(challenge, token.keys)
    except Otq1Error as error:
        raise bad_request(f"the token could not show this: {error}") from error
    return challenge


def _cancel_others(connection: Connection, token_id: str, reference: str) -> None:
    _CANCEL_OF_REFERENCE.changed(connection, {"of": reference})
    _CANCEL_OLD.changed(connection, {"of": token_id})
