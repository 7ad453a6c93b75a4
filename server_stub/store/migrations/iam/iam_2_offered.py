"""A login remembers how it may begin."""

import sqlalchemy as sa
from alembic import op

revision = "iam_2"
down_revision = "iam_1"


def upgrade() -> None:
    """To this revision."""
    op.add_column("sessions", sa.Column("offered", sa.String, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Back to the one before."""
    op.drop_column("sessions", "offered")
