"""What the first revisions of both databases have in common, as it was then."""

import sqlalchemy as sa
from alembic import op

WRONG_ATTEMPTS_FOR_GOOD = 10
APPEND_ONLY = {
    "sqlite": tuple(
        f"CREATE TRIGGER audit_no_{change.lower()} BEFORE {change} ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END"
        for change in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        (
            "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit log is append only'; END $$"
        ),
        (
            "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
        ),
    ),
}


def create_attempts_and_audit() -> None:
    """The two tables that both databases have."""
    op.create_table(
        "attempts",
        sa.Column("subject", sa.String, primary_key=True),
        sa.Column("method", sa.String, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until", sa.Float, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("time", sa.Float, nullable=False),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("user", sa.String),
        sa.Column("detail", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
    )
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


def drop_attempts_and_audit() -> None:
    """And their triggers."""
    op.drop_table("audit")
    op.drop_table("attempts")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_append_only()")


def add_last_attempt() -> None:
    """When somebody was wrong for the last time; until now, ten wrong attempts locked for good without saying so."""
    op.add_column("attempts", sa.Column("last_at", sa.Float, nullable=False, server_default="0"))
    attempts = sa.table("attempts", sa.column("failures", sa.Integer), sa.column("locked_until", sa.Float))
    for_good = attempts.c.failures >= WRONG_ATTEMPTS_FOR_GOOD
    op.execute(sa.update(attempts).where(for_good).values(locked_until=1e18))
