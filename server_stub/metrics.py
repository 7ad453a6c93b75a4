"""Metrics in Prometheus' text format 0.0.4, read from the database: whichever worker is asked, all of them are counted.

Events are counted along the audit log, which is only ever appended to: each worker remembers how far it has counted, so a
scrape reads what is new. Labels are words of the program and of the policy file, never anybody's name.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, Table, func, select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server_stub.api.routing import HEADERS, Interface, refuse_broken
from server_stub.audit import AuditLog
from server_stub.limits import FOREVER
from server_stub.store import iam as iam_store
from server_stub.store.database import Database

PATH = "/metrics"
TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Sample:
    """One line: a metric's name, what it is for, its labels and its value."""

    name: str
    about: str
    value: float
    labels: Mapping[str, str]


Gauges = Callable[[Connection, float], Iterable[Sample]]
"""What is there at a time, in a transaction."""


class Metrics:
    """What one database has to tell; ``prefix`` begins the names."""

    def __init__(
        self, prefix: str, database: Database, log: AuditLog, gauges: Gauges, now: Callable[[], float]
    ) -> None:
        self._prefix, self._database, self._log, self._gauges, self._now = prefix, database, log, gauges, now
        self._counted = 0
        self._events: Counter[tuple[str, str]] = Counter()

    async def text(self) -> str:
        """All of it."""
        # The first scrape of a worker reads the whole log: in a thread, so that others are answered meanwhile.
        before = self._counted
        counted, events, gauges = await self._database.run_aside(self._read, before)
        if self._counted == before:  # otherwise another scrape has counted the same rows meanwhile
            self._counted, self._events = counted, self._events + events
        return exposition([*self._told(), *gauges])

    def _read(self, connection: Connection, after: int) -> tuple[int, Counter[tuple[str, str]], list[Sample]]:
        counted, events = self._log.count(connection, after)
        gauges = self._gauges(connection, self._now())
        return counted, events, [replace(each, name=f"{self._prefix}_{each.name}") for each in gauges]

    def _told(self) -> Iterable[Sample]:
        name, about = f"{self._prefix}_events_total", "What the audit log says has happened."
        for (event, outcome), count in sorted(self._events.items()):
            yield Sample(name, about, count, {"event": event, "outcome": outcome})
        yield Sample(f"{self._prefix}_audit_rows", "The length of the audit log.", self._counted, {})


def exposition(samples: Iterable[Sample]) -> str:
    """The text format: samples of one name stand together below what they are."""
    lines = []
    for name, group in groupby(samples, lambda sample: sample.name):
        rows = list(group)
        lines += [
            f"# HELP {name} {rows[0].about}",
            f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}",
        ]
        for row in rows:
            labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in row.labels.items())
            lines.append(f"{name}{{{labels}}} {row.value}" if labels else f"{name} {row.value}")
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def iam_gauges(connection: Connection, now: float) -> Iterable[Sample]:
    """What the IAM has at ``now``."""
    sessions, approvals, badges = iam_store.sessions, iam_store.approvals, iam_store.badges
    live, complete = sessions.c.expires_at > now, sessions.c.authenticated_at.is_not(None)
    about = "Sessions that are not over."
    yield Sample("sessions", about, rows(connection, sessions, live, complete), {"state": "authenticated"})
    yield Sample("sessions", about, rows(connection, sessions, live, ~complete), {"state": "open"})
    waiting = (approvals.c.expires_at > now, approvals.c.step.is_not(None), approvals.c.step != "DENIED")
    yield Sample("approvals", "Transactions that wait for their user.", rows(connection, approvals, *waiting), {})
    yield Sample("users", "Users.", rows(connection, iam_store.users), {})
    yield Sample("fido_credentials", "Registered keys.", rows(connection, iam_store.fido_credentials), {})
    good = (badges.c.voided_at.is_(None), badges.c.expires_at.is_(None) | (badges.c.expires_at > now))
    for kind in ("insecure", "secure"):
        about = "Badges that are neither void nor expired."
        yield Sample("badges", about, rows(connection, badges, *good, badges.c.kind == kind), {"kind": kind})
    yield from locks(connection, iam_store.metadata.tables["attempts"], now)


def locks(connection: Connection, attempts: Table, now: float) -> Iterable[Sample]:
    """How many are locked out."""
    about = "Users, names or tokens that are locked out, for a while or for good."
    until = attempts.c.locked_until
    yield Sample("locked", about, rows(connection, attempts, until > now, until < FOREVER), {"lock": "temporary"})
    yield Sample("locked", about, rows(connection, attempts, until >= FOREVER), {"lock": "hard"})


def rows(connection: Connection, table: Table, *conditions: ColumnElement[bool]) -> int:
    """How many rows of ``table`` there are."""
    query = select(func.count()).select_from(table)
    for condition in conditions:
        query = query.where(condition)
    return int(connection.execute(query).scalar_one())


def add_metrics(app: Starlette, metrics: Metrics, interface: Interface) -> None:
    """Let ``app`` serve them."""

    async def answer() -> Response:
        return Response(await metrics.text(), 200, {**HEADERS, "Content-Type": TYPE})

    async def endpoint(request: Request) -> Response:
        return await refuse_broken(interface, request, answer())

    app.router.routes.append(Route(PATH, endpoint, methods=["GET"]))
