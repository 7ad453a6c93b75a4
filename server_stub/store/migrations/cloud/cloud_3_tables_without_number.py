"""Tables that versions up to 2 made when they were missing, whatever their number: here they may be there already."""

import sqlalchemy as sa
from alembic import op

revision = "cloud_3"
down_revision = "cloud_2"


def upgrade() -> None:
    """To this revision."""
    there = sa.inspect(op.get_bind()).get_table_names()
    if "token_users" not in there:
        op.create_table(
            "token_users",
            sa.Column("token_id", sa.String, sa.ForeignKey("tokens.id"), primary_key=True),
            sa.Column("user_id", sa.String, primary_key=True),
        )
    if "enrollments" not in there:
        op.create_table(
            "enrollments",
            sa.Column("id", sa.String, primary_key=True),
            sa.Column("user_id", sa.String, nullable=False, index=True),
            sa.Column("long_hash", sa.String, nullable=False, index=True),
            sa.Column("short_hash", sa.String, nullable=False, index=True),
            sa.Column("state", sa.String, nullable=False),
            sa.Column("expires_at", sa.Float, nullable=False),
        )
    if "pushes" not in there:
        op.create_table(
            "pushes",
            sa.Column("id", sa.String, primary_key=True),
            sa.Column("token_id", sa.String, sa.ForeignKey("tokens.id"), nullable=False),
            sa.Column("user_id", sa.String, nullable=False, index=True),
            sa.Column("reference", sa.String, nullable=False, index=True),
            sa.Column("text", sa.String, nullable=False),
            sa.Column("state", sa.String, nullable=False),
            sa.Column("expires_at", sa.Float, nullable=False),
        )


def downgrade() -> None:
    """Back to the one before."""
    for table in ("pushes", "enrollments", "token_users"):
        op.drop_table(table)
