"""Hardware tokens: import, assignment, and their keys."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from offline_qr.otq1 import Keys, derive_keys
from server_stub.cloud.messages import Device, ImportToken
from server_stub.cloud.store import attempts, audit, tokens
from server_stub.errors import ApiError, bad_request
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
    if message.kind in {"qr", "app"} and len(message.seed_hex) != 64:
        raise bad_request("a seed for offline QR has 32 bytes")
    sealed = vault.seal(bytes.fromhex(message.seed_hex), seed_row(token_id))
    try:
        connection.execute(
            insert(tokens).values(
                id=token_id,
                serial=message.serial,
                sealed_seed=sealed,
                display_name=message.display_name,
                kind=message.kind,
                digits=message.digits,
                algorithm=message.algorithm,
                period=message.period if message.kind == "totp" else 0,
                next_factor=message.counter if message.kind == "hotp" else 0,
            )
        )
    except IntegrityError as error:
        raise ApiError(409, "TOKEN_EXISTS", f"a token with the serial {message.serial} was imported before") from error
    audit.append(connection, now, "token.import", "done", token=token_id, serial=message.serial)
    return device(connection, token_id)


def assign(connection: Connection, token_id: str, user_id: str, now: float) -> Device:
    """Give a token that nobody has to ``user_id``.

    Raises:
        ApiError: 404 for an unknown token, 409 if someone has it.
    """
    changed = connection.execute(
        update(tokens).where(tokens.c.id == token_id, tokens.c.user_id.is_(None)).values(user_id=user_id)
    )
    row = connection.execute(select(tokens).where(tokens.c.id == token_id)).one_or_none()
    if row is None:
        raise ApiError(404, "TOKEN_UNKNOWN", "there is no such token")
    if not changed.rowcount and row.user_id != user_id:
        raise ApiError(409, "TOKEN_ASSIGNED", "the token belongs to another user")
    audit.append(connection, now, "token.assign", "done", bytes.fromhex(user_id), token=token_id)
    return device(connection, token_id)


def unlock(connection: Connection, token_id: str, user_id: str, now: float) -> Device:
    """Forgive a token's wrong codes.

    Raises:
        ApiError: 404 if the user has no such token.
    """
    row = connection.execute(select(tokens).where(tokens.c.id == token_id, tokens.c.user_id == user_id)).one_or_none()
    if row is None:
        raise ApiError(404, "TOKEN_UNKNOWN", "the user has no such token")
    attempts.clear_all(connection, token_id)
    audit.append(connection, now, "token.unlock", "done", bytes.fromhex(user_id), token=token_id)
    return device(connection, token_id)


def device(connection: Connection, token_id: str) -> Device:
    """A token, which must exist, as people may see it."""
    return _device(connection.execute(select(tokens).where(tokens.c.id == token_id)).one())


def _device(row: Row[Any]) -> Device:
    kind: Literal["app", "hardware_token"] = "app" if row.kind == "app" else "hardware_token"
    state: Literal["active", "suspended"] = "active" if row.state == "active" else "suspended"
    return Device(row.id, row.display_name, row.serial, kind, CAPABILITIES[row.kind], state)


def devices_of(connection: Connection, user_id: str) -> list[Device]:
    """The tokens of a user, in the order of their serials."""
    rows = connection.execute(select(tokens).where(tokens.c.user_id == user_id).order_by(tokens.c.serial))
    return [_device(row) for row in rows]


def open_token(connection: Connection, vault: Vault, token_id: str, user_id: str) -> Token | None:
    """The token with its keys, if it belongs to ``user_id``."""
    row = connection.execute(select(tokens).where(tokens.c.id == token_id, tokens.c.user_id == user_id)).one_or_none()
    if row is None or row.state != "active" or row.kind not in {"qr", "app"}:
        return None
    return Token(row.id, row.serial, derive_keys(row.serial, vault.open(row.sealed_seed, seed_row(row.id))))


def seed_row(token_id: str) -> str:
    """Where a token's seed is sealed."""
    return f"tokens/{token_id}"
