"""INSERT ... ON CONFLICT, which SQLite and PostgreSQL spell alike and SQLAlchemy has once for each."""

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT for the database behind ``connection``, on which conflicts can be settled."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
