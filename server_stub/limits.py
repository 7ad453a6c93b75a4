"""Wrong attempts: counted before they are judged, so that a burst of guesses at once gains nothing.

The schedule is the same for passwords and codes in the IAM and for codes in the cloud (otq1 §8.4) unless set
otherwise: five wrong in a row lock for a minute, each further one twice as long, ten for good. Attempts during a lock
neither count nor lengthen it.
"""

from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import (
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    case,
    delete,
    select,
    update,
)

from server_stub.store.prepared import Prepared
from server_stub.store.upsert import insert_into

LOCK_FROM = 5
FIRST_LOCK = 60.0
HARD_LOCK_AT = 10
LONGEST = 40
"""How often a lock gets twice as long, at most."""
FOREVER = 1e18
"""``locked_until`` of a lock that only an administrator ends."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When wrong attempts in a row lock: from ``lock_from`` on for ``first_lock`` seconds, doubling; for good at ``hard_lock_at``."""

    lock_from: int = LOCK_FROM
    first_lock: float = FIRST_LOCK
    hard_lock_at: int = HARD_LOCK_AT


SCHEDULE = Schedule()


@dataclass(frozen=True, slots=True)
class Lock:
    """Why an attempt is not looked at: ``until`` (seconds since 1970), or None when only an administrator helps."""

    until: float | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many wrong attempts in a row a subject has made by one method."""

    method: str
    failures: int
    lock: Lock | None


def lock_after(failures: int, now: float, schedule: Schedule = SCHEDULE) -> float:
    """Until when to lock after ``failures`` wrong attempts in a row; 0 when not yet."""
    if failures < schedule.lock_from:
        return 0.0
    if failures not in _temporary(schedule):
        return FOREVER
    return now + schedule.first_lock * 2.0 ** (failures - schedule.lock_from)


def _temporary(schedule: Schedule) -> range:
    """How many wrong attempts in a row lock for a while; what would lock for a million years locks for good."""
    return range(schedule.lock_from, min(schedule.hard_lock_at, schedule.lock_from + LONGEST))


class Attempts:
    """The table of wrong attempts in one database: a row per subject and method.

    All methods run inside the caller's transaction. ``reserve`` takes the row first, so whatever the transaction
    does afterwards is serial for that subject.
    """

    def __init__(self, metadata: MetaData) -> None:
        self._table = Table(
            "attempts",
            metadata,
            Column("subject", String, primary_key=True),
            Column("method", String, primary_key=True),
            Column("failures", Integer, nullable=False),
            Column("locked_until", Float, nullable=False),
            Column("last_at", Float, nullable=False, server_default="0"),
        )
        table = self._table
        this = (table.c.subject == bindparam("of")) & (table.c.method == bindparam("by"))
        self._reserve: dict[tuple[str, Schedule], Prepared] = {}
        self._of = Prepared(select(table).where(this))
        self._clear = Prepared(update(table).where(this).values(failures=0, locked_until=0.0))
        back = {"failures": table.c.failures - 1, "locked_until": 0.0}
        self._release = Prepared(update(table).where(this, table.c.failures > 0).values(back))

    def reserve(
        self, connection: Connection, subject: str, method: str, now: float, schedule: Schedule = SCHEDULE
    ) -> Lock | None:
        """Count one attempt as wrong until ``clear`` or ``release`` says otherwise; a Lock if it must not be judged."""
        # One statement, which waits for whoever has the row: from here on, attempts of one subject are serial.
        key = (connection.dialect.name, schedule)
        statement = self._reserve.get(key)
        if statement is None:
            statement = self._reserve[key] = self._reservation(connection, schedule)
        values = {"of": subject, "by": method, "now": now, "first": lock_after(1, now, schedule)}
        reserved = statement.scalar(connection, values)
        if reserved is not None:
            return None
        return self.lock(connection, subject, method, now) or Lock(None)

    def _reservation(self, connection: Connection, schedule: Schedule) -> Prepared:
        table, now = self._table, bindparam("now", type_=Float)
        counted = table.c.failures + 1
        steps = {wrong: schedule.first_lock * 2.0 ** (wrong - schedule.lock_from) for wrong in _temporary(schedule)}
        locks = case(
            (counted < schedule.lock_from, 0.0),
            *((counted == wrong, now + length) for wrong, length in steps.items()),
            else_=FOREVER,
        )
        return Prepared(
            insert_into(connection, table)
            .values(
                subject=bindparam("of"),
                method=bindparam("by"),
                failures=1,
                locked_until=bindparam("first"),
                last_at=now,
            )
            .on_conflict_do_update(
                index_elements=["subject", "method"],
                set_={"failures": counted, "locked_until": locks, "last_at": now},
                where=table.c.locked_until <= now,
            )
            .returning(table.c.failures)
        )

    def clear(self, connection: Connection, subject: str, method: str) -> None:
        """The attempt was right, or an administrator forgives: back to zero."""
        self._clear.changed(connection, {"of": subject, "by": method})

    def clear_all(self, connection: Connection, subject: str) -> None:
        """An administrator forgives everything."""
        table = self._table
        connection.execute(update(table).where(table.c.subject == subject).values(failures=0, locked_until=0.0))

    def release(self, connection: Connection, subject: str, method: str) -> None:
        """The reserved attempt could not be judged at all: take it back."""
        self._release.changed(connection, {"of": subject, "by": method})

    def lock(self, connection: Connection, subject: str, method: str, now: float) -> Lock | None:
        """The lock that holds at ``now``, if any."""
        row = self._of.one_or_none(connection, {"of": subject, "by": method})
        return None if row is None else _lock(row.locked_until, now)

    def counts(self, connection: Connection, subject: str, now: float) -> tuple[Count, ...]:
        """What ``subject`` got wrong and has not got right since, by method."""
        table = self._table
        rows = connection.execute(
            select(table).where(table.c.subject == subject, table.c.failures > 0).order_by(table.c.method)
        )
        return tuple(Count(row.method, row.failures, _lock(row.locked_until, now)) for row in rows)

    def all_counts(self, connection: Connection, now: float) -> dict[str, tuple[Count, ...]]:
        """As ``counts``, of everybody against whom something is counted."""
        table = self._table
        rows = connection.execute(select(table).where(table.c.failures > 0).order_by(table.c.subject, table.c.method))
        return {
            subject: tuple(Count(row.method, row.failures, _lock(row.locked_until, now)) for row in group)
            for subject, group in groupby(rows, lambda row: str(row.subject))
        }

    def forget(self, connection: Connection, before: float, now: float) -> int:
        """Forget what was last counted before ``before`` and locks nobody at ``now``; how many rows that were.

        Names that nobody has fade like those of users, so that a pause tells nobody which ones exist.
        """
        table = self._table
        idle = (table.c.last_at < before) & (table.c.locked_until <= now)
        return connection.execute(delete(table).where(idle)).rowcount


def _lock(locked_until: float, now: float) -> Lock | None:
    if locked_until <= now:
        return None
    return Lock(None if locked_until >= FOREVER else locked_until)
