"""Wrong attempts fade, and locks for good say so."""

from alembic import op

from server_stub.store.migrations.common import add_last_attempt

revision = "iam_1"
down_revision = "iam_0"


def upgrade() -> None:
    """To this revision."""
    add_last_attempt()


def downgrade() -> None:
    """Back to the one before."""
    op.drop_column("attempts", "last_at")
