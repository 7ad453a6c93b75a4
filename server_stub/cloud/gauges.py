"""What the cloud has at a time, for its metrics."""

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from server_stub.cloud.store import challenges, metadata, pushes, tokens
from server_stub.metrics import Sample, locks, rows


def cloud_gauges(connection: Connection, now: float) -> Iterable[Sample]:
    """Tokens by kind and state, what is open, and what is locked."""
    counts = select(tokens.c.kind, tokens.c.state, func.count()).group_by(tokens.c.kind, tokens.c.state)
    for kind, state, count in sorted(map(tuple, connection.execute(counts))):
        yield Sample("tokens", "Tokens in the cloud.", count, {"kind": kind, "state": state})
    for name, table, state in (("challenges", challenges, "open"), ("pushes", pushes, "waiting")):
        still = (table.c.state == state, table.c.expires_at > now)
        yield Sample(name, "What a token or an app is asked for.", rows(connection, table, *still), {})
    yield from locks(connection, metadata.tables["attempts"], now)
