"""The sweeper finds what has expired without reading everything."""

from alembic import op

revision = "cloud_4"
down_revision = "cloud_3"
SWEPT = ("challenges", "enrollments", "pushes")


def upgrade() -> None:
    """To this revision."""
    for table in SWEPT:
        op.create_index(f"{table}_by_expiry", table, ["expires_at"])


def downgrade() -> None:
    """Back to the one before."""
    for table in SWEPT:
        op.drop_index(f"{table}_by_expiry", table)
