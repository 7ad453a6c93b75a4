"""A login remembers a name that nobody has, and where to go in the end."""

import sqlalchemy as sa
from alembic import op

revision = "iam_3"
down_revision = "iam_2"


def upgrade() -> None:
    """To this revision."""
    op.add_column("sessions", sa.Column("decoy", sa.LargeBinary))
    op.add_column("sessions", sa.Column("target", sa.String))


def downgrade() -> None:
    """Back to the one before."""
    op.drop_column("sessions", "target")
    op.drop_column("sessions", "decoy")
