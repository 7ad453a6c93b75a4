"""Badges expire, are voided, and count their uses."""

import sqlalchemy as sa
from alembic import op

revision = "iam_5"
down_revision = "iam_4"


def upgrade() -> None:
    """To this revision."""
    op.add_column("badges", sa.Column("expires_at", sa.Float))
    op.add_column("badges", sa.Column("voided_at", sa.Float))
    op.add_column("badges", sa.Column("uses", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    """Back to the one before."""
    for column in ("uses", "voided_at", "expires_at"):
        op.drop_column("badges", column)
