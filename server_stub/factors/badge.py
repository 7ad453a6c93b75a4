"""QR badges: made when printed, judged when scanned."""

from dataclasses import dataclass

from sqlalchemy import Connection

from offline_qr.badge import BadgeError, InsecureBadge, SecureBadge, open_sealed, seal
from server_stub.flows.flow import Method
from server_stub.store import users
from server_stub.store.users import User
from server_stub.vault import Vault

KINDS = {"insecure": Method.BADGE_INSECURE, "secure": Method.BADGE_SECURE}


@dataclass(frozen=True, slots=True)
class Scan:
    """What a badge turned out to be; ``user`` is who it names, ``why_not`` says why it proves nothing."""

    method: Method
    user: User | None
    why_not: str | None = None


def kind_of(badge: InsecureBadge | SecureBadge) -> str:
    """``insecure`` or ``secure``."""
    return "secure" if isinstance(badge, SecureBadge) else "insecure"


def badge_key_row(user_id: bytes) -> str:
    """Where a user's badge key is sealed."""
    return f"users/{user_id.hex()}/badge_key"


def make(vault: Vault, badge_id: bytes, user: User, kind: str) -> str:
    """A new badge for ``user``: the text for its QR code. Of a secure badge nothing is kept that could make it again."""
    if kind == "insecure":
        return InsecureBadge(badge_id).text
    return seal(badge_id, user.id, vault.open(user.sealed_badge_key, badge_key_row(user.id))).text


def scan(connection: Connection, vault: Vault, badge: InsecureBadge | SecureBadge, now: float) -> Scan:
    """Judge a badge that was read."""
    kind = kind_of(badge)
    known = users.find_badge(connection, badge.badge_id)
    if known is None:
        return Scan(KINDS[kind], None, "unknown badge")
    if known.issued.kind != kind:
        return Scan(KINDS[kind], known.user, f"the badge was issued as {known.issued.kind}")
    over = known.issued.why_not(now)
    if over:
        return Scan(KINDS[kind], known.user, over)
    if isinstance(badge, SecureBadge):
        try:
            user_id = open_sealed(badge, vault.open(known.user.sealed_badge_key, badge_key_row(known.user.id)))
        except BadgeError:
            return Scan(KINDS[kind], known.user, "forged, or the password has changed")
        if user_id != known.user.id:
            return Scan(KINDS[kind], known.user, "made for another user")
    return Scan(KINDS[kind], known.user)
