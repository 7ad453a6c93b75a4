"""Wrong attempts: counted before they are judged, so that a burst of guesses at once gains nothing.

The schedule is the same for passwords in the IAM and for codes in the cloud (otq1 §8.4): five wrong in a row lock
for a minute, each further one twice as long, ten for good. Attempts during a lock neither count nor lengthen it.
"""

from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Connection, Float, Integer, MetaData, String, Table, select, update
from sqlalchemy.dialects.sqlite import insert

LOCK_FROM = 5
FIRST_LOCK = 60.0
HARD_LOCK_AT = 10


@dataclass(frozen=True, slots=True)
class Lock:
    """Why an attempt is not looked at: ``until`` (seconds since 1970), or None when only an administrator helps."""

    until: float | None


def lock_after(failures: int, now: float) -> float:
    """Until when to lock after ``failures`` wrong attempts in a row; 0 when not yet."""
    return 0.0 if failures < LOCK_FROM else now + FIRST_LOCK * 2 ** (failures - LOCK_FROM)


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
        )

    def reserve(self, connection: Connection, subject: str, method: str, now: float) -> Lock | None:
        """Count one attempt as wrong until ``clear`` or ``release`` says otherwise; a Lock if it must not be judged."""
        table, row = self._table, self._row(subject, method)
        connection.execute(
            insert(table)
            .values(subject=subject, method=method, failures=0, locked_until=0.0)
            .on_conflict_do_nothing(index_elements=["subject", "method"])
        )
        failures = connection.execute(
            update(table)
            .where(row, table.c.locked_until <= now, table.c.failures < HARD_LOCK_AT)
            .values(failures=table.c.failures + 1)
            .returning(table.c.failures)
        ).scalar_one_or_none()
        if failures is None:
            return self.lock(connection, subject, method, now) or Lock(None)
        connection.execute(update(table).where(row).values(locked_until=lock_after(failures, now)))
        return None

    def clear(self, connection: Connection, subject: str, method: str) -> None:
        """The attempt was right, or an administrator forgives: back to zero."""
        connection.execute(update(self._table).where(self._row(subject, method)).values(failures=0, locked_until=0.0))

    def release(self, connection: Connection, subject: str, method: str) -> None:
        """The reserved attempt could not be judged at all: take it back."""
        table = self._table
        connection.execute(
            update(table)
            .where(self._row(subject, method), table.c.failures > 0)
            .values(failures=table.c.failures - 1, locked_until=0.0)
        )

    def lock(self, connection: Connection, subject: str, method: str, now: float) -> Lock | None:
        """The lock that holds at ``now``, if any."""
        row = connection.execute(select(self._table).where(self._row(subject, method))).one_or_none()
        if row is None:
            return None
        if row.failures >= HARD_LOCK_AT:
            return Lock(None)
        return Lock(row.locked_until) if row.locked_until > now else None

    def _row(self, subject: str, method: str) -> ColumnElement[bool]:
        return (self._table.c.subject == subject) & (self._table.c.method == method)
