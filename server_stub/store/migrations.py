"""Bring a database that an older version made up to date, or refuse one that a newer version made.

The version stands in SQLite's ``user_version``. A table's ``MetaData.info["migrations"]`` has one tuple of statements
for each version after 0; new tables need none, they are made when missing. All of it is one transaction: a kill at any
instruction leaves the old version or the new one.
"""

from sqlalchemy import Connection, MetaData, inspect

from server_stub.errors import ServerError

Steps = tuple[tuple[str, ...], ...]


def bring_up_to_date(connection: Connection, tables: MetaData) -> None:
    """Make what is missing and change what is old.

    Raises:
        ServerError: if a newer version of this program made the database.
    """
    steps: Steps = tables.info.get("migrations", ())
    version: int = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version > len(steps):
        raise ServerError(
            f"the database has schema version {version}, this program knows versions up to {len(steps)}: "
            "a newer version of it was here"
        )
    if inspect(connection).get_table_names():
        for step in steps[version:]:
            for statement in step:
                connection.exec_driver_sql(statement)
    tables.create_all(connection)
    if version != len(steps):
        connection.exec_driver_sql(f"PRAGMA user_version = {len(steps)}")
