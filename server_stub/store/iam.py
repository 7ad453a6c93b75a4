"""What the IAM keeps."""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table

from server_stub.addresses import AddressLimits
from server_stub.audit import AuditLog
from server_stub.limits import Attempts

metadata = MetaData(info={"revision": "iam_8", "schema": "iam"})
"""At that revision (``migrations/iam``); on PostgreSQL the tables have a schema of their own."""

users = Table(
    "users",
    metadata,
    Column("id", LargeBinary, primary_key=True),  # 16 random bytes; stays when the user is renamed
    Column("username", String, nullable=False, unique=True),
    Column("password_hash", String, nullable=False),
    Column("sealed_badge_key", LargeBinary, nullable=False),  # new with every password
    Column("groups", String, nullable=False),
)

badges = Table(
    "badges",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("voided_at", Float),
    Column("uses", Integer, nullable=False, server_default="0"),
)

fido_credentials = Table(
    "fido_credentials",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("rp_id", String, nullable=False),
    Column("display_name", String, nullable=False),
    Column("credential_data", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("last_used_at", Float),
    Index("fido_credentials_of_user", "user_id", "rp_id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("application", String, nullable=False),
    Column("flow", String, nullable=False),  # empty until the first step has said who it is
    Column("offered", String, nullable=False, server_default="[]"),  # JSON: the methods that may come first
    Column("user_id", ForeignKey("users.id")),
    Column("decoy", LargeBinary),
    Column("target", String),
    Column("passed", String, nullable=False),  # JSON: the cursor in the flow
    Column("pending", String, nullable=False),  # JSON: what the current step has asked for
    Column("authenticated_at", Float),
    Column("expires_at", Float, nullable=False),
    Index("sessions_by_expiry", "expires_at"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("flow", String, nullable=False),
    Column("step", String),  # the next step; null when approved
    Column("user_id", ForeignKey("users.id")),
    Column("device_id", String),
    Column("transaction", String),  # JSON: what the user is asked to approve, as recorded here
    Column("challenge_id", String),
    Column("push_id", String),
    Column("fido", String),  # JSON: what a key is asked to sign
    Column("expires_at", Float, nullable=False),
    Index("approvals_by_expiry", "expires_at"),
)

device_tokens = Table(
    "device_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("user_id", ForeignKey("users.id"), nullable=False, index=True),
    Column("display_name", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("last_used_at", Float),
    Index("device_tokens_by_expiry", "expires_at"),
)

used_tickets = Table(
    "used_tickets",
    metadata,
    Column("issuer", String, primary_key=True),
    Column("ticket_id", String, primary_key=True),
    Column("expires_at", Float, nullable=False),
    Index("used_tickets_by_expiry", "expires_at"),
)

attempts = Attempts(metadata)
addresses = AddressLimits(metadata)
audit = AuditLog(metadata)
