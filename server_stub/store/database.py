"""A database and the threads that use it: every transaction is a plain function, run off the event loop."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DataError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.schema import CreateSchema

from server_stub.audit import begin_trace, write_trace
from server_stub.errors import ApiError, ServerError, bad_request
from server_stub.store.engine import (
    CONNECTIONS,
    LocalConnection,
    checkpoint,
    postgresql_engine,
    shown,
    sqlite_engine,
)
from server_stub.store.migrations import bring_up_to_date

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

CHECKPOINT_EVERY = 200
"""After so many transactions the write-ahead log of a SQLite file is emptied, in our thread."""
TRIES = 5
"""How often a transaction is begun anew that PostgreSQL ended because it and another waited for each other."""
LOST_RACES = frozenset({"40P01", "40001"})
"""Deadlock, and a serialization failure: SQLSTATEs that mean "nothing happened, try again"."""
AWAY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})
"""What SQLite says when another process holds the file for too long, or the disk does not take any more."""


class Database:
    """A SQLite file (a path) or a PostgreSQL database (a URL), with ``tables`` brought up to date in it.

    A transaction is a plain function whose first parameter is the connection; it commits when it returns and
    is undone when it raises. What it writes to the audit log is written last. SQLite has one writer at a time whatever
    we do, and a short transaction takes less time there than a thread's turn: it runs where it is called, unless a long
    one is under way. On PostgreSQL several transactions of several processes run at the same time, each
    statement sees what others have committed, and a transaction may be run again: it must not do anything
    but use its connection. Races are decided by conditional updates on both.

    ``flushed``: on SQLite, a commit waits until the disk has it. A PostgreSQL does as it is set itself.

    Raises:
        ServerError: if the database cannot be reached or written.
    """

    def __init__(self, where: Path | str, tables: MetaData, *, flushed: bool = False) -> None:
        schema: str = tables.info.get("schema", "authrig")
        if isinstance(where, Path):
            self._engine, threads = sqlite_engine(where, flushed=flushed), 1
            self._turn: threading.Lock | None = threading.Lock()
        else:
            self._engine, threads = postgresql_engine(where, schema), CONNECTIONS
            self._turn = None
        self._kept: LocalConnection | None = None
        self._file = where if isinstance(where, Path) else None
        self._since_checkpoint = 0
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
        if self._turn is not None and self._turn.acquire(blocking=False):
            try:
                return self._transact(lambda connection: transaction(connection, *args, **kwargs))
            finally:
                self._turn.release()
        return await self.run_aside(transaction, *args, **kwargs)

    async def run_aside(
        self, transaction: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """As ``run``, for what takes long: in a thread of ours on any database, so that other requests are answered."""
        return await asyncio.wrap_future(self._submit(transaction, *args, **kwargs))

    def run_now(self, transaction: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """As ``run``, for callers outside an event loop."""
        return self._submit(transaction, *args, **kwargs).result()

    def close(self) -> None:
        """Finish what is queued and close the connections."""
        self._thread.shutdown()
        if self._kept:
            self._kept.close()
        self._engine.dispose()

    def _submit(
        self, transaction: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[R]:
        def take_turn() -> R:
            with self._turn or nullcontext():
                return self._transact(lambda connection: transaction(connection, *args, **kwargs))

        return self._thread.submit(take_turn)

    def _transact(self, transaction: Callable[[Connection], R]) -> R:
        for _ in range(TRIES - 1):
            try:
                return self._once(transaction)
            except DBAPIError as error:
                if not _lost_race(error):
                    raise
        return self._once(transaction)

    def _once(self, transaction: Callable[[Connection], R]) -> R:
        def traced(connection: Connection) -> R:
            begin_trace(connection)
            result = transaction(connection)
            write_trace(connection)
            return result

        try:
            if self._turn is None:
                with self._engine.begin() as connection:
                    return traced(connection)
            return self._transact_here(traced)
        except DataError as error:
            raise bad_request("the database cannot hold one of the values") from error
        except DBAPIError as error:
            if _unreachable(error):
                log.warning("the database does not answer: %s", error.orig)
                raise ApiError(503, "DATABASE_UNAVAILABLE", "the database does not answer; try again") from error
            raise

    def _transact_here(self, transaction: Callable[[Connection], R]) -> R:
        if self._kept is None:
            self._kept = LocalConnection(self._engine)
        result = self._kept.transact(transaction)
        self._since_checkpoint += 1
        if self._since_checkpoint == CHECKPOINT_EVERY:
            with suppress(RuntimeError):  # we are closing, which empties the log too
                self._thread.submit(self._checkpoint)
        return result

    def _checkpoint(self) -> None:
        assert self._file is not None
        try:
            checkpoint(self._file)
        except sqlite3.Error:
            log.exception("could not empty the write-ahead log of %s; will try again", self._file)
        self._since_checkpoint = 0


def _prepare(connection: Connection, schema: str, tables: MetaData) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(CreateSchema(schema, if_not_exists=True))
    bring_up_to_date(connection, tables)


def _lost_race(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in LOST_RACES


def _unreachable(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in AWAY  # the upper bits say where
    return error.connection_invalidated or (
        isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) is None
    )
