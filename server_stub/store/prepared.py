"""Statements of the verify path: made and compiled once, run on SQLite's own connection.

SQLAlchemy Core takes 30 to 90 us to run a statement that SQLite answers in 3; a login has a dozen of them. On PostgreSQL,
where the way there and back costs more than that, the same statement goes through Core and keeps its error handling.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects.sqlite import dialect as sqlite
from sqlalchemy.sql import ClauseElement

from server_stub.store.engine import LocalConnection

Row = Any
"""A row with its columns as attributes."""


class Prepared:
    """One statement with named parameters (``bindparam``), for use inside a transaction of ``Database``."""

    def __init__(self, statement: Executable) -> None:
        assert isinstance(statement, ClauseElement)
        self._statement = statement
        compiled: Any = statement.compile(dialect=sqlite())
        self._sql = str(compiled)
        self._order: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}
        names = [entry.keyname for entry in compiled._result_columns]  # noqa: SLF001 - Core has no public name for them
        self._row: Callable[..., Row] | None = namedtuple("Row", names, rename=True) if names else None  # noqa: PYI024 - its names come with the query

    def one_or_none(self, connection: Connection, values: Mapping[str, Any]) -> Row | None:
        """The only row, if there is one."""
        if not isinstance(connection, LocalConnection):
            return connection.execute(self._statement, values).one_or_none()
        assert self._row is not None
        row = self._run(connection, values).fetchone()
        return None if row is None else self._row(*row)

    def scalar(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The first column of the only row, None without one."""
        row = self.one_or_none(connection, values)
        return None if row is None else row[0]

    def all(self, connection: Connection, values: Mapping[str, Any]) -> list[Row]:
        """All rows."""
        if not isinstance(connection, LocalConnection):
            return list(connection.execute(self._statement, values))
        assert self._row is not None
        return [self._row(*row) for row in self._run(connection, values)]

    def changed(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """How many rows it changed."""
        if not isinstance(connection, LocalConnection):
            return int(connection.execute(self._statement, values).rowcount)
        return self._run(connection, values).rowcount

    def _run(self, connection: LocalConnection, values: Mapping[str, Any]) -> sqlite3.Cursor:
        given = {**self._constants, **values} if self._constants else values
        return connection.raw.execute(self._sql, [given[name] for name in self._order])
