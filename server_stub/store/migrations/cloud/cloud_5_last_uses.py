"""When a token was used last."""

import sqlalchemy as sa
from alembic import op

revision = "cloud_5"
down_revision = "cloud_4"


def upgrade() -> None:
    """To this revision."""
    op.add_column("tokens", sa.Column("last_used_at", sa.Float))


def downgrade() -> None:
    """Back to the one before."""
    op.drop_column("tokens", "last_used_at")
