"""Tokens and challenges."""

import sqlalchemy as sa
from alembic import op

from server_stub.store.migrations.common import create_attempts_and_audit, drop_attempts_and_audit

revision = "cloud_0"
down_revision = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "tokens",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("serial", sa.String, nullable=False, unique=True),
        sa.Column("sealed_seed", sa.LargeBinary, nullable=False),
        sa.Column("display_name", sa.String, nullable=False),
        sa.Column("user_id", sa.String, index=True),
    )
    op.create_table(
        "challenges",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("token_id", sa.String, sa.ForeignKey("tokens.id"), nullable=False),
        sa.Column("user_id", sa.String, nullable=False),
        sa.Column("reference", sa.String, nullable=False),
        sa.Column("header", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("issued_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("wrong", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
    )
    op.create_index("challenges_of_token", "challenges", ["token_id", "state"])
    op.create_index("challenges_of_reference", "challenges", ["reference", "state"])
    create_attempts_and_audit()


def downgrade() -> None:
    """Back to the one before."""
    drop_attempts_and_audit()
    op.drop_table("challenges")
    op.drop_table("tokens")
