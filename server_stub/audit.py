"""The audit log: append only, each row chained to the one before by its hash, never a secret in it."""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
YEAR_3000 = 32503680000

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
        wanted = select(self._table).where(self._table.c.sequence > after).order_by(self._table.c.sequence)
        with _whatever_is_there(connection):
            return [_readable(dict(row)) for row in connection.execute(wanted.limit(limit)).mappings()]

    def count(self, connection: Connection, after: int) -> tuple[int, Counter[tuple[str, str]]]:
        """The last row's number, and how often each event has come out how in the rows after ``after``."""
        last, _ = self.head(connection)
        new = (self._table.c.sequence > after) & (self._table.c.sequence <= last)
        kinds = (self._table.c.event, self._table.c.outcome)
        with _whatever_is_there(connection):
            rows = connection.execute(select(*kinds, func.count()).where(new).group_by(*kinds)).all()
        return last, Counter({(_text(what), _text(outcome)): count for what, outcome, count in rows})

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
        # The cursor is PostgreSQL's own, and stays if it is not closed.
        with _whatever_is_there(connection), connection.execute(everything) as rows:
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
    try:
        return hashlib.sha256(previous.encode() + msgspec.json.encode(row, order="sorted")).hexdigest()
    except UnicodeEncodeError:
        return ""  # it is no text, so we have not written it


@contextmanager
def _whatever_is_there(connection: Connection) -> Iterator[None]:
    """SQLite keeps any bytes where a text should be, and its driver would not read a row with them at all.

    Whoever changed a row could hide the others by that, and the change besides.
    """
    raw: Any = connection.connection.dbapi_connection
    if not isinstance(raw, sqlite3.Connection):
        yield
        return
    raw.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        raw.text_factory = str


def _readable(row: Mapping[str, Any]) -> Entry:
    """A row as far as it can be read: one that was changed may hold anything, and just then people look at the log."""
    time, told = row["time"], _text(row["detail"])
    try:
        detail = msgspec.json.decode(told, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        detail = {"unreadable": told}
    return Entry(
        row["sequence"],
        time if isinstance(time, float) and 0 <= time < YEAR_3000 else 0.0,
        _text(row["event"]),
        _text(row["outcome"]),
        None if row["user"] is None else _text(row["user"]),
        detail,
        _text(row["hash"]),
    )


def _text(value: object) -> str:
    data = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    return data.decode("utf-8", "replace")
