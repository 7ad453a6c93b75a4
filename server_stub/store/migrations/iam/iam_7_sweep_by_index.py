"""The sweeper finds what has expired without reading everything."""

from alembic import op

revision = "iam_7"
down_revision = "iam_6"
SWEPT = ("sessions", "approvals", "device_tokens", "used_tickets")


def upgrade() -> None:
    """To this revision."""
    for table in SWEPT:
        op.create_index(f"{table}_by_expiry", table, ["expires_at"])


def downgrade() -> None:
    """Back to the one before."""
    for table in SWEPT:
        op.drop_index(f"{table}_by_expiry", table)
