"""Where the rows are: a SQLite file, or a schema of a PostgreSQL database."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

from sqlalchemy import Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from server_stub.errors import ServerError

BUSY_TIMEOUT = 10.0
"""How long (seconds) to wait for another process that writes to the same file."""
LONGEST_LOG = 10_000
"""From how many pages on (4 KiB each) a writer empties the write-ahead log itself, when ``checkpoint`` could not."""
CHECKPOINTS = 5
"""How often ``checkpoint`` tries to catch up with those who write meanwhile."""
CONNECT_TIMEOUT = 5
"""How long (seconds) to wait for a PostgreSQL that does not answer."""
CONNECTIONS = 4
"""How many transactions one process has under way on PostgreSQL."""
SCHEMES = frozenset({"postgresql", "postgres", "postgresql+psycopg"})

Result = TypeVar("Result")


class LocalConnection(Connection):
    """The connection to a SQLite file; ``raw`` is the driver's own.

    A transaction begins and ends on ``raw``: Core takes 60 us to say BEGIN and COMMIT, SQLite's own work included it is
    a third of a small request. Core's statements may be used inside all the same.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.raw = cast("sqlite3.Connection", self.connection.dbapi_connection)

    def transact(self, transaction: Callable[[Connection], Result]) -> Result:
        """Run ``transaction`` in a transaction.

        Raises:
            DBAPIError: whatever SQLite refuses, whether Core or the driver was asked.
        """
        try:
            self.raw.execute(_BEGIN)
            try:
                result = transaction(self)
                # Core has begun a transaction of its own if one of its statements was used, and has to know of the end.
                self.commit()
                self.raw.commit()
            except BaseException:
                self.rollback()
                self.raw.rollback()
                raise
        except sqlite3.Error as error:
            raise DBAPIError.instance(None, None, error, sqlite3.Error, hide_parameters=True) from error
        return result


# IMMEDIATE takes the write lock at once: a transaction that reads and then writes can never find that another process
# wrote in between.
_BEGIN = "BEGIN IMMEDIATE"


def sqlite_engine(path: Path, *, read_only: bool = False, flushed: bool = False) -> Engine:
    """One connection to the file ``path``, for one thread at a time; ``flushed``: a commit waits until the disk has it.

    Raises:
        ServerError: if the file cannot be opened.
    """
    try:
        # Made here so that nobody else can read it; SQLite gives its journal files the same mode.
        os.close(os.open(path, os.O_RDONLY if read_only else os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ServerError(f"cannot use the database {path}: {error.strerror}") from error
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=StaticPool,
        hide_parameters=True,  # they hold sealed secrets and hashes, and would go into logs and error messages
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT, "cached_statements": 512},
    )
    event.listen(engine, "connect", _read_only if read_only else partial(_configure, flushed=flushed))
    event.listen(engine, "begin", _begin_reading if read_only else _begin)
    return engine


def checkpoint(path: Path) -> None:
    """Copy what the write-ahead log of ``path`` holds into the file itself, while others go on reading and writing.

    Whoever writes next after it has all been copied begins the log anew. SQLite would let a writer do it within its
    own commit, and whoever waits for that writer would wait for two flushes to the disk.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for _ in range(CHECKPOINTS):
            _, written, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if written == copied:
                return


def postgresql_engine(url: str, schema: str, *, read_only: bool = False) -> Engine:
    """Up to ``CONNECTIONS`` connections to a database, whose unqualified names mean those of ``schema``.

    Raises:
        ServerError: if the URL is none of PostgreSQL, or the driver is missing.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ServerError(
            "database_url is no URL, expected one such as postgresql://authrig@localhost/authrig"
        ) from error
    if parsed.drivername not in SCHEMES:
        raise ServerError(f"database_url begins with {parsed.drivername}://, expected postgresql://")
    options = f"-csearch_path={schema}" + (" -cdefault_transaction_read_only=on" if read_only else "")
    try:
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=CONNECTIONS,
            max_overflow=0,
            hide_parameters=True,
            connect_args={
                "options": options,
                "application_name": "authrig",
                "connect_timeout": CONNECT_TIMEOUT,
            },
        )
    except ModuleNotFoundError as error:
        raise ServerError("PostgreSQL needs the driver psycopg: pip install 'authrig[postgres]'") from error


def shown(where: Path | str) -> str:
    """What a person may read of ``where``: no password."""
    return str(where) if isinstance(where, Path) else make_url(where).render_as_string(hide_password=True)


def _configure(connection: sqlite3.Connection, _: ConnectionPoolEntry, *, flushed: bool) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver's guess
    # WAL with NORMAL survives a kill at any instruction; only a power cut of the whole machine may lose the last
    # commits. FULL waits for the disk at each commit, of which a login by a QR token has eight: too dear for most rigs.
    synchronous = "synchronous=FULL" if flushed else "synchronous=NORMAL"
    for pragma in ("journal_mode=WAL", synchronous, "foreign_keys=ON", f"wal_autocheckpoint={LONGEST_LOG}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    if not (isinstance(connection, LocalConnection) and connection.raw.in_transaction):
        connection.exec_driver_sql(_BEGIN)


def _read_only(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only=ON")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
