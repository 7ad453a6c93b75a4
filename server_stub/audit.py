"""The audit log: append only, each row chained to the one before by its hash, never a secret in it."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    event,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.schema import DDL

from server_stub.store.prepared import Prepared

FIRST_LINK = "0" * 64

_TRACE = "authrig.audit"
_Row = tuple[float, str, str, str | None, str]
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7171, oid::int) FROM pg_namespace WHERE nspname = current_schema()")
_APPEND_ONLY = {
    "sqlite": tuple(
        f"CREATE TRIGGER audit_no_{change.lower()} BEFORE {change} ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END"
        for change in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        (
            "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit log is append only'; END $$"
        ),
        (
            "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
        ),
    ),
}


def begin_trace(connection: Connection) -> None:
    """A transaction begins: nothing is to be logged yet."""
    connection.info.pop(_TRACE, None)


def write_trace(connection: Connection) -> None:
    """Write what the transaction has logged so far."""
    trace: list[tuple[AuditLog, _Row]] = connection.info.pop(_TRACE, [])
    for log in dict.fromkeys(log for log, _ in trace):
        log.write(connection, [row for each, row in trace if each is log])


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
        last = select(self._table.c.sequence, self._table.c.hash).order_by(self._table.c.sequence.desc()).limit(1)
        names: dict[str, BindParameter[Any]] = {
            column.name: bindparam(f"a_{column.name}") for column in self._table.columns
        }
        self._last, self._insert = Prepared(last), Prepared(insert(self._table).values(names))
        for dialect, statements in _APPEND_ONLY.items():
            for statement in statements:
                ddl = DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call] # SQLAlchemy has no types here
                event.listen(self._table, "after_create", ddl)

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
        """Add one row in the caller's transaction: what is undone was never logged, what done is always logged.

        The rows of a transaction are written together as the last thing that it does. The lock which that takes is held
        shortly and nothing is waited for under it, so no two transactions can wait for each other because of the log.
        """
        told = msgspec.json.encode(detail, order="sorted").decode()
        row = (time, what, outcome, user.hex() if user is not None else None, told)
        connection.info.setdefault(_TRACE, []).append((self, row))

    def write(self, connection: Connection, rows: list[_Row]) -> None:
        """Chain ``rows`` to the last one, now."""
        if connection.dialect.name == "postgresql":
            # Until this transaction ends, nobody else reads a head that is about to be old.
            connection.execute(_ONE_AT_A_TIME)
        sequence, link = self._head(connection)
        for time, what, outcome, user, detail in rows:
            sequence += 1
            row = {
                "sequence": sequence,
                "time": time,
                "event": what,
                "outcome": outcome,
                "user": user,
                "detail": detail,
            }
            link = _link(link, row)
            self._insert.changed(connection, {f"a_{name}": value for name, value in (row | {"hash": link}).items()})

    def read(self, connection: Connection, after: int = 0, limit: int = 1000) -> list[Entry]:
        """Up to ``limit`` rows whose sequence number is greater than ``after``."""
        write_trace(connection)
        rows = connection.execute(
            select(self._table).where(self._table.c.sequence > after).order_by(self._table.c.sequence).limit(limit)
        ).mappings()
        return [Entry(**{**row, "detail": msgspec.json.decode(row["detail"])}) for row in rows]

    def count(self, connection: Connection, after: int) -> tuple[int, Counter[tuple[str, str]]]:
        """The last row's number, and how often each event has come out how in the rows after ``after``."""
        last, _ = self.head(connection)
        new = (self._table.c.sequence > after) & (self._table.c.sequence <= last)
        kinds = (self._table.c.event, self._table.c.outcome)
        rows = connection.execute(select(*kinds, func.count()).where(new).group_by(*kinds))
        return last, Counter({(what, outcome): count for what, outcome, count in rows})

    def head(self, connection: Connection) -> tuple[int, str]:
        """Sequence number and hash of the last row: who keeps them elsewhere notices when rows were cut off."""
        write_trace(connection)
        return self._head(connection)

    def _head(self, connection: Connection) -> tuple[int, str]:
        last = self._last.one_or_none(connection, {})
        return (last.sequence, last.hash) if last else (0, FIRST_LINK)

    def verify(self, connection: Connection) -> int | None:
        """The sequence number of the first row that was changed, removed or slipped in; None when all is well."""
        write_trace(connection)
        return self.check(connection).broken

    def check(self, connection: Connection, then: int = 0) -> "Verdict":
        """Follow the chain from the first row on, without holding it in memory.

        ``then``: a number of rows; the verdict says which hash the log had when it was that long.
        """
        link, expected, link_then = FIRST_LINK, 0, FIRST_LINK
        everything = select(self._table).order_by(self._table.c.sequence).execution_options(yield_per=1000)
        with connection.execute(everything) as rows:  # whose cursor is PostgreSQL's own, and stays if it is not closed
            for expected, row in enumerate(rows.mappings(), start=1):
                before, link = link, _link(link, {name: value for name, value in row.items() if name != "hash"})
                if row["sequence"] != expected:
                    how = "removed" if row["sequence"] > expected else "slipped in"
                    return Verdict(expected - 1, before, expected, how)
                if row["hash"] != link:
                    return Verdict(expected - 1, before, expected, "changed")
                if expected == then:
                    link_then = link
        return Verdict(expected, link, None, "", link_then)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many rows are whole, the hash of the last of them, and which row is broken first, and how."""

    rows: int
    last_hash: str
    broken: int | None
    how: str
    link_then: str = FIRST_LINK


def _link(previous: str, row: dict[str, Any]) -> str:
    return hashlib.sha256(previous.encode() + msgspec.json.encode(row, order="sorted")).hexdigest()
