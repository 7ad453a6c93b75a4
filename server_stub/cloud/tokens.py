"""Hardware tokens: import, assignment, and their keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from offline_qr.otq1 import Keys, derive_keys
from server_stub.cloud.messages import Device, ImportToken, StockToken, TokenLock
from server_stub.cloud.store import attempts, audit, challenges, pushes, token_users, tokens
from server_stub.errors import ApiError, bad_request
from server_stub.store.prepared import Prepared
from server_stub.vault import Vault

CAPABILITIES = {
    "qr": ("offline_qrcode",),
    "hotp": ("passcode",),
    "totp": ("passcode",),
    "app": ("one_touch", "offline_qrcode"),
}
"""What a token of each kind can be asked for."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its keys."""

    id: str
    serial: str
    keys: Keys


def import_token(connection: Connection, vault: Vault, token_id: str, message: ImportToken, now: float) -> Device:
    """Take a token into stock; its seed is sealed before it is stored.

    Raises:
        ApiError: 409 if the serial is known already.
    """
    try:
        connection.execute(insert(tokens).values(**_row(vault, token_id, message)))
    except IntegrityError as error:
        raise _exists(message.serial) from error
    audit.append(connection, now, "token.import", "done", token=token_id, serial=message.serial)
    return device(connection, token_id)


def _row(vault: Vault, token_id: str, message: ImportToken) -> dict[str, Any]:
    if message.kind in {"qr", "app"} and len(message.seed_hex) != 64:
        raise bad_request("a seed for offline QR has 32 bytes")
    return {
        "id": token_id,
        "serial": message.serial,
        "sealed_seed": vault.seal(bytes.fromhex(message.seed_hex), seed_row(token_id)),
        "display_name": message.display_name,
        "kind": message.kind,
        "digits": message.digits,
        "algorithm": message.algorithm,
        "period": message.period if message.kind == "totp" else 0,
        "next_factor": message.counter if message.kind == "hotp" else 0,
    }


def _exists(serial: str) -> ApiError:
    return ApiError(409, "TOKEN_EXISTS", f"a token with the serial {serial} was imported before")


def import_tokens(
    connection: Connection, vault: Vault, named: Sequence[tuple[str, ImportToken]], now: float
) -> list[StockToken]:
    """Take many tokens into stock, all or none; each comes with the id that it gets.

    Raises:
        ApiError: 409 if a serial is known already.
    """
    taken = set(connection.execute(select(tokens.c.serial)).scalars())
    for _, message in named:
        if message.serial in taken:
            raise _exists(message.serial)
        taken.add(message.serial)
    if named:
        connection.execute(insert(tokens), [_row(vault, token_id, message) for token_id, message in named])
    for token_id, message in named:
        audit.append(connection, now, "token.import", "done", token=token_id, serial=message.serial)
    known = {token_id for token_id, _ in named}
    return [token for token in stock(connection) if token.device_id in known]


def stock(connection: Connection) -> list[StockToken]:
    """All tokens, by serial."""
    shared: dict[str, list[str]] = {}
    for row in connection.execute(select(token_users).order_by(token_users.c.user_id)):
        shared.setdefault(row.token_id, []).append(row.user_id)
    return [
        StockToken(
            row.id,
            row.serial,
            row.display_name,
            row.kind,
            row.state,
            [*([row.user_id] if row.user_id else []), *shared.get(row.id, [])],
        )
        for row in connection.execute(select(tokens).order_by(tokens.c.serial))
    ]


def locks(connection: Connection, now: float) -> list[TokenLock]:
    """What is counted against tokens."""
    counted = attempts.all_counts(connection, now)
    return [
        TokenLock(
            token.device_id,
            token.serial,
            token.user_ids,
            each.method,
            each.failures,
            locked=each.lock is not None,
            locked_until=each.lock.until if each.lock else None,
        )
        for token in stock(connection)
        for each in counted.get(token.device_id, ())
    ]


def owned(user_id: str) -> ColumnElement[bool]:
    """Whether a row of ``tokens`` is assigned to ``user_id``, or shared with them."""
    shared = select(token_users.c.token_id).where(token_users.c.user_id == user_id)
    return (tokens.c.user_id == user_id) | tokens.c.id.in_(shared)


def assign(connection: Connection, token_id: str, user_id: str, now: float, *, sharing: bool = False) -> Device:
    """Give a token to ``user_id``: one that nobody has or, where ``sharing`` is allowed, one that others have too.

    Raises:
        ApiError: 404 for an unknown token, 409 if someone has it.
    """
    # The row is held to the end, so that whoever else gives or takes this token waits.
    if connection.execute(select(tokens.c.id).where(tokens.c.id == token_id).with_for_update()).one_or_none() is None:
        raise ApiError(404, "TOKEN_UNKNOWN", "there is no such token")
    changed = connection.execute(
        update(tokens).where(tokens.c.id == token_id, tokens.c.user_id.is_(None)).values(user_id=user_id)
    )
    mine = connection.execute(select(tokens.c.id).where(tokens.c.id == token_id, owned(user_id))).one_or_none()
    if not changed.rowcount and mine is None:
        if not sharing:
            raise ApiError(409, "TOKEN_ASSIGNED", "the token belongs to another user")
        connection.execute(insert(token_users).values(token_id=token_id, user_id=user_id))
    audit.append(connection, now, "token.assign", "done", bytes.fromhex(user_id), token=token_id)
    return device(connection, token_id)


def unassign(connection: Connection, token_id: str, user_id: str, now: float) -> Device:
    """Take a token from ``user_id``; what it was asked for can no longer be answered.

    Raises:
        ApiError: 404 if the user has no such token.
    """
    _require(connection, token_id, user_id)
    shared = (token_users.c.token_id == token_id) & (token_users.c.user_id == user_id)
    connection.execute(delete(token_users).where(shared))
    first = (tokens.c.id == token_id) & (tokens.c.user_id == user_id)
    if connection.execute(update(tokens).where(first).values(user_id=None)).rowcount:
        _promote(connection, token_id)
    mine = (challenges.c.token_id == token_id) & (challenges.c.user_id == user_id) & (challenges.c.state == "open")
    connection.execute(update(challenges).where(mine).values(state="cancelled"))
    asked = (pushes.c.token_id == token_id) & (pushes.c.user_id == user_id)
    unused = pushes.c.state.in_(("waiting", "approved"))
    connection.execute(update(pushes).where(asked, unused).values(state="cancelled"))
    audit.append(connection, now, "token.unassign", "done", bytes.fromhex(user_id), token=token_id)
    return device(connection, token_id)


def _promote(connection: Connection, token_id: str) -> None:
    """The next of those with whom it was shared is now the one it is assigned to."""
    shared = select(token_users.c.user_id).where(token_users.c.token_id == token_id).order_by(token_users.c.user_id)
    following = connection.execute(shared.limit(1)).scalar_one_or_none()
    if following is not None:
        pair = (token_users.c.token_id == token_id) & (token_users.c.user_id == following)
        connection.execute(delete(token_users).where(pair))
        connection.execute(update(tokens).where(tokens.c.id == token_id).values(user_id=following))


def set_state(connection: Connection, token_id: str, state: str, now: float) -> Device:
    """Suspend a token, or let it work again.

    Raises:
        ApiError: 404 for an unknown token.
    """
    if not connection.execute(update(tokens).where(tokens.c.id == token_id).values(state=state)).rowcount:
        raise ApiError(404, "TOKEN_UNKNOWN", "there is no such token")
    audit.append(connection, now, "token.state", state, token=token_id)
    return device(connection, token_id)


def _require(connection: Connection, token_id: str, user_id: str) -> None:
    mine = select(tokens.c.id).where(tokens.c.id == token_id, owned(user_id)).with_for_update()
    if connection.execute(mine).one_or_none() is None:
        raise ApiError(404, "TOKEN_UNKNOWN", "the user has no such token")


def unlock(connection: Connection, token_id: str, user_id: str, now: float) -> Device:
    """Forgive a token's wrong codes.

    Raises:
        ApiError: 404 if the user has no such token.
    """
    _require(connection, token_id, user_id)
    attempts.clear_all(connection, token_id)
    audit.append(connection, now, "token.unlock", "done", bytes.fromhex(user_id), token=token_id)
    return device(connection, token_id)


def device(connection: Connection, token_id: str) -> Device:
    """A token, which must exist, as people may see it."""
    return _device(connection.execute(select(tokens).where(tokens.c.id == token_id)).one())


def _device(row: Row[Any]) -> Device:
    kind: Literal["app", "hardware_token"] = "app" if row.kind == "app" else "hardware_token"
    state: Literal["active", "suspended"] = "active" if row.state == "active" else "suspended"
    return Device(row.id, row.display_name, row.serial, kind, CAPABILITIES[row.kind], state, row.last_used_at)


_USED = Prepared(update(tokens).where(tokens.c.id == bindparam("used")).values(last_used_at=bindparam("now")))


def used(connection: Connection, token_id: str, now: float) -> None:
    """The token has given a right code, or an answer."""
    _USED.changed(connection, {"used": token_id, "now": now})


def rename(connection: Connection, token_id: str, user_id: str, display_name: str, now: float) -> Device:
    """Call a user's token something else.

    Raises:
        ApiError: 404 if the user has no such token.
    """
    _require(connection, token_id, user_id)
    connection.execute(update(tokens).where(tokens.c.id == token_id).values(display_name=display_name))
    audit.append(connection, now, "token.rename", "done", bytes.fromhex(user_id), token=token_id)
    return device(connection, token_id)


_SHARED = select(token_users.c.token_id).where(token_users.c.user_id == bindparam("user"))
_OWNED = (tokens.c.user_id == bindparam("user")) | tokens.c.id.in_(_SHARED)
_OWN = Prepared(select(tokens).where(tokens.c.id == bindparam("token"), _OWNED).with_for_update())
_ALL_OWN = Prepared(select(tokens).where(_OWNED).order_by(tokens.c.serial))


def devices_of(connection: Connection, user_id: str) -> list[Device]:
    """The tokens of a user, in the order of their serials."""
    return [_device(row) for row in _ALL_OWN.all(connection, {"user": user_id})]


def open_token(connection: Connection, vault: Vault, token_id: str, user_id: str) -> Token | None:
    """The token with its keys, if it belongs to ``user_id``; nobody changes it before the transaction ends."""
    row = _OWN.one_or_none(connection, {"token": token_id, "user": user_id})
    if row is None or row.state != "active" or row.kind not in {"qr", "app"}:
        return None
    return Token(row.id, row.serial, _keys(vault, row.id, row.serial, row.sealed_seed))


@lru_cache(maxsize=1024)
def _keys(vault: Vault, token_id: str, serial: str, sealed_seed: bytes) -> Keys:
    """The keys of a token: those that were used last are kept, for they never change and take six derivations to make."""
    return derive_keys(serial, vault.open(sealed_seed, seed_row(token_id)))


def seed_row(token_id: str) -> str:
    """Where a token's seed is sealed."""
    return f"tokens/{token_id}"
