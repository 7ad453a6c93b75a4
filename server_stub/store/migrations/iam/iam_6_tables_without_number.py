"""Tables that versions up to 5 made when they were missing, whatever their number: here they may be there already."""

import sqlalchemy as sa
from alembic import op

revision = "iam_6"
down_revision = "iam_5"


def upgrade() -> None:
    """To this revision."""
    there = sa.inspect(op.get_bind()).get_table_names()
    if "device_tokens" not in there:
        op.create_table(
            "device_tokens",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
            sa.Column("user_id", sa.LargeBinary, sa.ForeignKey("users.id"), nullable=False, index=True),
            sa.Column("display_name", sa.String, nullable=False),
            sa.Column("created_at", sa.Float, nullable=False),
            sa.Column("expires_at", sa.Float, nullable=False),
        )
    if "used_tickets" not in there:
        op.create_table(
            "used_tickets",
            sa.Column("issuer", sa.String, primary_key=True),
            sa.Column("ticket_id", sa.String, primary_key=True),
            sa.Column("expires_at", sa.Float, nullable=False),
        )
    if "address_failures" not in there:
        op.create_table(
            "address_failures",
            sa.Column("address", sa.String, primary_key=True),
            sa.Column("window", sa.Integer, nullable=False),
            sa.Column("failures", sa.Integer, nullable=False),
        )


def downgrade() -> None:
    """Back to the one before."""
    for table in ("address_failures", "used_tickets", "device_tokens"):
        op.drop_table(table)
