"""The audit log: append only, each row chained to the one before by its hash, never a secret in it."""

import hashlib
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Float, Integer, MetaData, String, Table, event, insert, select
from sqlalchemy.schema import DDL

FIRST_LINK = "0" * 64


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """One thing that happened.

    ``user`` is the permanent id of a known user. What someone typed as a name that is not known is not kept:
    people type passwords there.
    """

    sequence: int
    time: float
    event: str
    outcome: str
    user: str | None
    detail: dict[str, Any]
    hash: str


class AuditLog:
    """The audit table of one database."""

    def __init__(self, metadata: MetaData) -> None:
        self._table = Table(
            "audit",
            metadata,
            Column("sequence", Integer, primary_key=True),
            Column("time", Float, nullable=False),
            Column("event", String, nullable=False),
            Column("outcome", String, nullable=False),
            Column("user", String),
            Column("detail", String, nullable=False),
            Column("hash", String, nullable=False),
        )
        for change in ("UPDATE", "DELETE"):
            event.listen(
                self._table,
                "after_create",
                DDL(  # type: ignore[no-untyped-call] # SQLAlchemy has no types here
                    f"CREATE TRIGGER audit_no_{change.lower()} BEFORE {change} ON audit "
                    "BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END"
                ),
            )

    def append(
        self,
        connection: Connection,
        /,
        time: float,
        what: str,
        outcome: str,
        user: bytes | None = None,
        **detail: str | int | list[str] | dict[str, str],
    ) -> None:
        """Add one row in the caller's transaction: what is undone was never logged, what is done always is."""
        last, link = self.head(connection)
        row = {
            "sequence": last + 1,
            "time": time,
            "event": what,
            "outcome": outcome,
            "user": user.hex() if user is not None else None,
            "detail": msgspec.json.encode(detail, order="sorted").decode(),
        }
        connection.execute(insert(self._table).values(row | {"hash": _link(link, row)}))

    def read(self, connection: Connection, after: int = 0, limit: int = 1000) -> list[Entry]:
        """Up to ``limit`` rows whose sequence number is greater than ``after``."""
        rows = connection.execute(
            select(self._table).where(self._table.c.sequence > after).order_by(self._table.c.sequence).limit(limit)
        ).mappings()
        return [Entry(**{**row, "detail": msgspec.json.decode(row["detail"])}) for row in rows]

    def head(self, connection: Connection) -> tuple[int, str]:
        """Sequence number and hash of the last row: who keeps them elsewhere notices when rows were cut off."""
        last = connection.execute(
            select(self._table.c.sequence, self._table.c.hash).order_by(self._table.c.sequence.desc()).limit(1)
        ).one_or_none()
        return (last.sequence, last.hash) if last else (0, FIRST_LINK)

    def verify(self, connection: Connection) -> int | None:
        """The sequence number of the first row that was changed, removed or slipped in; None when all is well."""
        link = FIRST_LINK
        rows = connection.execute(select(self._table).order_by(self._table.c.sequence)).mappings()
        for expected, row in enumerate(rows, start=1):
            link = _link(link, {name: value for name, value in row.items() if name != "hash"})
            if row["sequence"] != expected or row["hash"] != link:
                return expected
        return None


def _link(previous: str, row: dict[str, Any]) -> str:
    return hashlib.sha256(previous.encode() + msgspec.json.encode(row, order="sorted")).hexdigest()
