"""A database and the threads that use it: every transaction is a plain function, run off the event loop."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DataError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.schema import CreateSchema

from server_stub.audit import begin_trace, write_trace
from server_stub.errors import ApiError, ServerError, bad_request
from server_stub.store.engine import CONNECTIONS, postgresql_engine, shown, sqlite_engine
from server_stub.store.migrations import bring_up_to_date

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 5
"""How often a transaction is begun anew that PostgreSQL ended because it and another waited for each other."""
LOST_RACES = frozenset({"40P01", "40001"})
"""Deadlock, and a serialization failure: SQLSTATEs that mean "nothing happened, try again"."""


class Database:
    """A SQLite file (a path) or a PostgreSQL database (a URL), with ``tables`` brought up to date in it.

    A transaction is a plain function whose first parameter is the connection; it commits when it returns and
    is undone when it raises. What it writes to the audit log is written last. SQLite has one writer at a time whatever
    we do, so it has one thread. On PostgreSQL several transactions of several processes run at the same time, each
    statement sees what others have committed, and a transaction may be run again: it must not do anything
    but use its connection. Races are decided by conditional updates on both.

    Raises:
        ServerError: if the database cannot be reached or written.
    """

    def __init__(self, where: Path | str, tables: MetaData) -> None:
        schema: str = tables.info.get("schema", "authrig")
        if isinstance(where, Path):
            self._engine, threads = sqlite_engine(where), 1
        else:
            self._engine, threads = postgresql_engine(where, schema), CONNECTIONS
        self._thread = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=schema)
        try:
            self.run_now(_prepare, schema, tables)
        except (ServerError, SQLAlchemyError, ApiError) as error:
            self.close()
            cause = error.__cause__ or error.__context__ if not isinstance(error, ServerError) else None
            raise ServerError(f"cannot use the database {shown(where)}: {cause or error}".strip()) from error

    async def run(
        self, transaction: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``transaction(connection, *args, **kwargs)`` and hand on what it returns or raises.

        Raises:
            ApiError: 503 if the database does not answer, 400 if it cannot hold a value, such as U+0000 in a text.
        """
        return await asyncio.wrap_future(self._submit(transaction, *args, **kwargs))

    def run_now(self, transaction: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """As ``run``, for callers outside an event loop."""
        return self._submit(transaction, *args, **kwargs).result()

    def close(self) -> None:
        """Finish what is queued and close the connections."""
        self._thread.shutdown()
        self._engine.dispose()

    def _submit(
        self, transaction: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[R]:
        def once() -> R:
            with self._engine.begin() as connection:
                begin_trace(connection)
                result = transaction(connection, *args, **kwargs)
                write_trace(connection)
            return result

        def transact() -> R:
            for _ in range(TRIES - 1):
                try:
                    return self._translated(once)
                except DBAPIError as error:
                    if not _lost_race(error):
                        raise
            return self._translated(once)

        return self._thread.submit(transact)

    def _translated(self, once: Callable[[], R]) -> R:
        try:
            return once()
        except DataError as error:
            raise bad_request("the database cannot hold one of the values") from error
        except DBAPIError as error:
            if self._engine.name == "postgresql" and _unreachable(error):
                log.warning("the database does not answer: %s", error.orig)
                raise ApiError(503, "DATABASE_UNAVAILABLE", "the database does not answer; try again") from error
            raise


def _prepare(connection: Connection, schema: str, tables: MetaData) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(CreateSchema(schema, if_not_exists=True))
    bring_up_to_date(connection, tables)


def _lost_race(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in LOST_RACES


def _unreachable(error: DBAPIError) -> bool:
    return error.connection_invalidated or (
        isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) is None
    )
