"""Users, badges, FIDO credentials, sessions, approvals."""

import sqlalchemy as sa
from alembic import op

from server_stub.store.migrations.common import create_attempts_and_audit, drop_attempts_and_audit

revision = "iam_0"
down_revision = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "users",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("username", sa.String, nullable=False, unique=True),
        sa.Column("password_hash", sa.String, nullable=False),
        sa.Column("sealed_badge_key", sa.LargeBinary, nullable=False),
        sa.Column("groups", sa.String, nullable=False),
    )
    op.create_table(
        "badges",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("user_id", sa.LargeBinary, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "fido_credentials",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("user_id", sa.LargeBinary, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("rp_id", sa.String, nullable=False),
        sa.Column("display_name", sa.String, nullable=False),
        sa.Column("credential_data", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("fido_credentials_of_user", "fido_credentials", ["user_id", "rp_id"])
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("application", sa.String, nullable=False),
        sa.Column("flow", sa.String, nullable=False),
        sa.Column("user_id", sa.LargeBinary, sa.ForeignKey("users.id")),
        sa.Column("passed", sa.String, nullable=False),
        sa.Column("pending", sa.String, nullable=False),
        sa.Column("authenticated_at", sa.Float),
        sa.Column("expires_at", sa.Float, nullable=False),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("flow", sa.String, nullable=False),
        sa.Column("step", sa.String),
        sa.Column("user_id", sa.LargeBinary, sa.ForeignKey("users.id")),
        sa.Column("device_id", sa.String),
        sa.Column("transaction", sa.String),
        sa.Column("challenge_id", sa.String),
        sa.Column("expires_at", sa.Float, nullable=False),
    )
    create_attempts_and_audit()


def downgrade() -> None:
    """Back to the one before."""
    drop_attempts_and_audit()
    for table in ("approvals", "sessions", "fido_credentials", "badges", "users"):
        op.drop_table(table)
