"""An approval can be asked for online."""

import sqlalchemy as sa
from alembic import op

revision = "iam_4"
down_revision = "iam_3"


def upgrade() -> None:
    """To this revision."""
    op.add_column("approvals", sa.Column("push_id", sa.String))


def downgrade() -> None:
    """Back to the one before."""
    op.drop_column("approvals", "push_id")
