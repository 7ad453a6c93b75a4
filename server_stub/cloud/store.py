"""What the cloud keeps."""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table

from server_stub.audit import AuditLog
from server_stub.limits import Attempts

metadata = MetaData(info={"revision": "cloud_5", "schema": "cloud"})
"""As in the IAM's store."""

tokens = Table(
    "tokens",
    metadata,
    Column("id", String, primary_key=True),  # UUIDv4: the device id
    Column("serial", String, nullable=False, unique=True),
    Column("sealed_seed", LargeBinary, nullable=False),
    Column("display_name", String, nullable=False),
    Column("user_id", String, index=True),
    Column("kind", String, nullable=False, server_default="qr"),  # qr, hotp, totp, app
    Column("state", String, nullable=False, server_default="active"),  # active, suspended
    Column("digits", Integer, nullable=False, server_default="8"),
    Column("algorithm", String, nullable=False, server_default="sha1"),
    Column("period", Integer, nullable=False, server_default="0"),
    Column("next_factor", BigInteger, nullable=False, server_default="0"),
    Column("drift", BigInteger, nullable=False, server_default="0"),
    Column("last_used_at", Float),
)

challenges = Table(
    "challenges",
    metadata,
    Column("id", String, primary_key=True),  # the 12-byte OTQ1 challenge id in hex
    Column("token_id", ForeignKey("tokens.id"), nullable=False),
    Column("user_id", String, nullable=False),
    Column("reference", String, nullable=False),
    Column("header", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("issued_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("wrong", Integer, nullable=False, default=0),
    Column("state", String, nullable=False, default="open"),  # open, used, dead, cancelled
    Index("challenges_of_token", "token_id", "state"),
    Index("challenges_of_reference", "reference", "state"),
    Index("challenges_by_expiry", "expires_at"),
)

token_users = Table(
    "token_users",  # with whom a token is shared, beside the user whom it was assigned to first
    metadata,
    Column("token_id", ForeignKey("tokens.id"), primary_key=True),
    Column("user_id", String, primary_key=True),
)

enrollments = Table(
    "enrollments",
    metadata,
    Column("id", String, primary_key=True),
    Column("user_id", String, nullable=False, index=True),
    Column("long_hash", String, nullable=False, index=True),  # the codes themselves are not kept
    Column("short_hash", String, nullable=False, index=True),
    Column("state", String, nullable=False),  # pending, done, cancelled
    Column("expires_at", Float, nullable=False),
    Index("enrollments_by_expiry", "expires_at"),
)

pushes = Table(
    "pushes",
    metadata,
    Column("id", String, primary_key=True),
    Column("token_id", ForeignKey("tokens.id"), nullable=False),
    Column("user_id", String, nullable=False, index=True),
    Column("reference", String, nullable=False, index=True),
    Column("text", String, nullable=False),
    Column("state", String, nullable=False),  # waiting, approved, denied, used, cancelled
    Column("expires_at", Float, nullable=False),
    Index("pushes_by_expiry", "expires_at"),
)

attempts = Attempts(metadata)
audit = AuditLog(metadata)
