"""A transaction can be approved with a key; when a key and a remembered device were used last."""

import sqlalchemy as sa
from alembic import op

revision = "iam_8"
down_revision = "iam_7"
USED = ("fido_credentials", "device_tokens")


def upgrade() -> None:
    """To this revision."""
    op.add_column("approvals", sa.Column("fido", sa.String))
    for table in USED:
        op.add_column(table, sa.Column("last_used_at", sa.Float))


def downgrade() -> None:
    """Back to the one before."""
    for table in USED:
        op.drop_column(table, "last_used_at")
    op.drop_column("approvals", "fido")
