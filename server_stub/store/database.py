"""One SQLite file, one thread: every transaction runs there, one after the other, off the event loop."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, MetaData, StaticPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from server_stub.errors import ServerError
from server_stub.store.migrations import bring_up_to_date

P = ParamSpec("P")
R = TypeVar("R")

BUSY_TIMEOUT = 10.0
"""How long (seconds) to wait for another process that writes to the same file."""


class Database:
    """A database and the thread that uses it.

    A transaction is a plain function whose first parameter is the connection; it commits when it returns and
    is undone when it raises. SQLite has one writer at a time whatever we do, so one thread costs nothing, and
    several processes on one file still decide every race by conditional updates.

    Raises:
        ServerError: if the file cannot be opened or written.
    """

    def __init__(self, path: Path, tables: MetaData) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=path.stem)
        self._engine = create_engine(
            f"sqlite:///{path}",
            poolclass=StaticPool,
            hide_parameters=True,  # they hold sealed secrets and hashes, and would go into logs and error messages
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT},
        )
        event.listen(self._engine, "connect", _configure)
        event.listen(self._engine, "begin", _begin)
        try:
            # Made here so that nobody else can read it; SQLite gives its journal files the same mode.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self.run_now(bring_up_to_date, tables)
        except OSError as error:
            self.close()
            raise ServerError(f"cannot use the database {path}: {error.strerror}") from error
        except ServerError as error:
            self.close()
            raise ServerError(f"cannot use the database {path}: {error}") from error
        except SQLAlchemyError as error:
            self.close()
            cause = error.__cause__ or error.__context__ or error
            raise ServerError(f"cannot use the database {path}: {cause}") from error

    async def run(
        self, transaction: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``transaction(connection, *args, **kwargs)`` and hand on what it returns or raises."""
        return await asyncio.wrap_future(self._submit(transaction, *args, **kwargs))

    def run_now(self, transaction: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """As ``run``, for callers outside an event loop."""
        return self._submit(transaction, *args, **kwargs).result()

    def close(self) -> None:
        """Finish what is queued and close the file."""
        self._thread.submit(self._engine.dispose).result()
        self._thread.shutdown()

    def _submit(
        self, transaction: Callable[Concatenate[Connection, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[R]:
        def transact() -> R:
            with self._engine.begin() as connection:
                return transaction(connection, *args, **kwargs)

        return self._thread.submit(transact)


def _configure(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver's guess
    # WAL with NORMAL survives a kill at any instruction; only a power cut of the whole machine may lose the last
    # commits. FULL costs a disk flush per login (28 900 against 355 commits a second measured), too dear for a test rig.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: a transaction that reads and then writes can never find that
    # another process wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
