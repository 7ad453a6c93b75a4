"""Remembered devices, and tickets that were used: what lets someone skip saying who they are."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from server_stub.sessions import hash_token
from server_stub.store.iam import device_tokens, used_tickets


@dataclass(frozen=True, slots=True)
class RememberedDevice:
    """A browser that its user wanted to be remembered."""

    id: int
    display_name: str
    created_at: float
    expires_at: float
    last_used_at: float | None = None


def remember(connection: Connection, token: str, user_id: bytes, device: RememberedDevice) -> int:
    """Remember the browser that gets ``token``; the id it is given."""
    inserted = connection.execute(
        insert(device_tokens).values(
            token_hash=hash_token(token),
            user_id=user_id,
            display_name=device.display_name,
            created_at=device.created_at,
            expires_at=device.expires_at,
        )
    )
    assert inserted.inserted_primary_key is not None
    return int(inserted.inserted_primary_key[0])


def user_of(connection: Connection, token: str, now: float) -> bytes | None:
    """Whose browser it is; it was used now."""
    table = device_tokens
    live = (table.c.token_hash == hash_token(token)) & (table.c.expires_at > now)
    used = update(table).where(live).values(last_used_at=now).returning(table.c.user_id)
    return connection.execute(used).scalar_one_or_none()


def devices_of(connection: Connection, user_id: bytes, now: float) -> list[RememberedDevice]:
    """A user's remembered devices, oldest first."""
    table = device_tokens
    mine = (table.c.user_id == user_id) & (table.c.expires_at > now)
    rows = connection.execute(select(table).where(mine).order_by(table.c.id))
    return [
        RememberedDevice(row.id, row.display_name, row.created_at, row.expires_at, row.last_used_at) for row in rows
    ]


def forget(connection: Connection, user_id: bytes, device: int) -> bool:
    """Remember one no longer; False if the user has no such device."""
    table = device_tokens
    mine = (table.c.user_id == user_id) & (table.c.id == device)
    return bool(connection.execute(delete(table).where(mine)).rowcount)


def forget_all(connection: Connection, user_id: bytes) -> None:
    """Remember none of a user's."""
    connection.execute(delete(device_tokens).where(device_tokens.c.user_id == user_id))


def use_ticket(connection: Connection, issuer: str, ticket_id: str, expires_at: float) -> bool:
    """Whether this is the first time that the ticket is shown."""
    row = insert(used_tickets).values(issuer=issuer, ticket_id=ticket_id, expires_at=expires_at)
    try:
        with connection.begin_nested():
            connection.execute(row)
    except IntegrityError:
        return False
    return True
