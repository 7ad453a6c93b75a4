"""Check the audit logs of a server from outside: nothing is written, and a server may be running on them meanwhile."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from server_stub.audit import AuditLog, Verdict
from server_stub.cloud.store import audit as cloud_audit
from server_stub.errors import ServerError
from server_stub.settings import Settings, database_of
from server_stub.store.engine import postgresql_engine, shown, sqlite_engine
from server_stub.store.iam import audit as iam_audit

LOGS: Mapping[str, AuditLog] = {"iam": iam_audit, "cloud": cloud_audit}


class Checked(msgspec.Struct, frozen=True, rename="camel"):
    """One log. ``first_broken_row`` is null and ``sentence`` says so when the chain is whole.

    ``rows`` and ``last_hash`` are what the log ends with: who keeps them notices when rows are cut off.
    """

    log: str
    intact: bool
    rows: int
    last_hash: str
    first_broken_row: int | None
    sentence: str


def check(settings: Settings, kept: Sequence[Checked] = ()) -> list[Checked]:
    """Each log of the databases that ``settings`` name; ``kept`` is what an earlier check said.

    Raises:
        ServerError: if a database cannot be read.
    """
    before = {each.log: each for each in kept}
    return [_checked(name, database_of(settings, name), before.get(name)) for name in settings.parts]


def _checked(name: str, where: Path | str, before: Checked | None) -> Checked:
    log = LOGS[name]
    engine = (
        sqlite_engine(where, read_only=True)
        if isinstance(where, Path)
        else postgresql_engine(where, name, read_only=True)
    )
    try:
        with engine.begin() as connection:
            verdict = log.check(connection, before.rows if before else 0)
    except SQLAlchemyError as error:
        cause = error.__cause__ or error.__context__ or error
        raise ServerError(f"cannot read the audit log in {shown(where)}: {str(cause).strip()}") from error
    finally:
        engine.dispose()
    return _judge(name, verdict, before)


def _judge(name: str, verdict: Verdict, before: Checked | None) -> Checked:
    broken, sentence = verdict.broken, f"{name}: {verdict.rows} rows, whole"
    if broken is not None:
        sentence = f"{name}: row {broken} was {verdict.how}; {broken - 1} rows before it are whole"
    elif before and verdict.rows < before.rows:
        broken = verdict.rows + 1
        sentence = f"{name}: row {broken} was cut off; there were {before.rows} rows, {verdict.rows} are left"
    elif before and verdict.link_then != before.last_hash:
        broken = before.rows
        sentence = f"{name}: row {broken} is not the one that was there before: the log was written anew"
    return Checked(name, broken is None, verdict.rows, verdict.last_hash, broken, sentence)
