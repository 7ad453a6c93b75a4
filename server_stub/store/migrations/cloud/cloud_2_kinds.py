"""Tokens of all kinds: by count, by clock, apps; suspended or not."""

import sqlalchemy as sa
from alembic import op

revision = "cloud_2"
down_revision = "cloud_1"


def upgrade() -> None:
    """To this revision."""
    for column in (
        sa.Column("kind", sa.String, nullable=False, server_default="qr"),
        sa.Column("state", sa.String, nullable=False, server_default="active"),
        sa.Column("digits", sa.Integer, nullable=False, server_default="8"),
        sa.Column("algorithm", sa.String, nullable=False, server_default="sha1"),
        sa.Column("period", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_factor", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("drift", sa.BigInteger, nullable=False, server_default="0"),
    ):
        op.add_column("tokens", column)


def downgrade() -> None:
    """Back to the one before."""
    for column in ("drift", "next_factor", "period", "algorithm", "digits", "state", "kind"):
        op.drop_column("tokens", column)
