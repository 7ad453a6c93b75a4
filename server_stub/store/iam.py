"""What the IAM keeps."""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table

from server_stub.addresses import AddressLimits
from server_stub.audit import AuditLog
from server_stub.limits import Attempts

MIGRATIONS = (
    (
        "ALTER TABLE attempts ADD COLUMN last_at FLOAT NOT NULL DEFAULT 0",
        "UPDATE attempts SET locked_until = 1e18 WHERE failures >= 10",
    ),
    ("ALTER TABLE sessions ADD COLUMN offered VARCHAR NOT NULL DEFAULT '[]'",),
    ("ALTER TABLE sessions ADD COLUMN decoy BLOB", "ALTER TABLE sessions ADD COLUMN target VARCHAR"),
    ("ALTER TABLE approvals ADD COLUMN push_id VARCHAR",),
    (
        "ALTER TABLE badges ADD COLUMN expires_at FLOAT",
        "ALTER TABLE badges ADD COLUMN voided_at FLOAT",
        "ALTER TABLE badges ADD COLUMN uses INTEGER NOT NULL DEFAULT 0",
    ),
)
"""What changed since version 0, the first that was ever run; tables that are new need no statement."""

metadata = MetaData(info={"migrations": MIGRATIONS})

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
    Column("sign_count", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
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
    Column("expires_at", Float, nullable=False),
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
)

used_tickets = Table(
    "used_tickets",
    metadata,
    Column("issuer", String, primary_key=True),
    Column("ticket_id", String, primary_key=True),
    Column("expires_at", Float, nullable=False),
)

attempts = Attempts(metadata)
addresses = AddressLimits(metadata)
audit = AuditLog(metadata)
