"""Bring a database that an older version made up to date, or refuse one that a newer version made.

The revisions are Alembic's, ``iam/`` and ``cloud/`` beside this file. A database that is empty is made in one go and
marked as the newest; one that is up to date is left alone without Alembic, whose import would be most of the start.
All of it is one transaction: a kill at any instruction leaves the old version or the new one.
"""

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select, text

from server_stub.errors import ServerError

HERE = Path(__file__).parent
VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
HEAD = "revision"
"""In ``MetaData.info``: the newest revision, such as ``iam_7``; tables without it are only made when missing."""


def bring_up_to_date(connection: Connection, tables: MetaData) -> None:
    """Make what is missing and change what is old.

    Raises:
        ServerError: if a newer version of this program made the database.
    """
    if connection.dialect.name == "postgresql":
        # Workers and machines that start at the same time go through here one after the other.
        connection.execute(text("SELECT pg_advisory_xact_lock(7171, 1)"))
    head: str | None = tables.info.get(HEAD)
    found = revision_of(connection, head) if head else None
    if head is None or found is None:
        tables.create_all(connection)
        if head:
            VERSION.create(connection, checkfirst=True)
            connection.execute(VERSION.insert().values(version_num=head))
    elif found != head:
        migrate(connection, head, found)


def revision_of(connection: Connection, head: str) -> str | None:
    """The revision of a database, None where there is nothing yet.

    Files from before there was Alembic carry the number of their version in SQLite's ``user_version``.
    """
    names = inspect(connection).get_table_names()
    if VERSION.name in names:
        return connection.execute(select(VERSION.c.version_num)).scalar_one_or_none()
    if not names:
        return None
    return f"{head.partition('_')[0]}_{connection.exec_driver_sql('PRAGMA user_version').scalar_one()}"


def migrate(connection: Connection, target: str, found: str | None = None) -> None:
    """Run the revisions that lead to ``target``, up or down; ``found`` is where the database stands, if it does not say so.

    Raises:
        ServerError: if the database stands at a revision that this version does not know.
    """
    from alembic import command  # noqa: PLC0415 - costs more than all of a usual start, and is hardly ever needed
    from alembic.config import Config  # noqa: PLC0415 - as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("version_locations", str(HERE / target.partition("_")[0]).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    known = {
        script.revision: number for number, script in enumerate(ScriptDirectory.from_config(config).walk_revisions())
    }
    if found is None:
        found = connection.execute(select(VERSION.c.version_num)).scalar_one()
    if found not in known:
        raise ServerError(
            f"the database has the schema version {found}, this program knows versions up to {min(known, key=known.__getitem__)}: "
            "a newer version of it was here"
        )
    VERSION.create(connection, checkfirst=True)
    if connection.execute(select(VERSION)).one_or_none() is None:
        connection.execute(VERSION.insert().values(version_num=found))
    # walk_revisions begins with the newest
    (command.upgrade if known[target] < known[found] else command.downgrade)(config, target)
