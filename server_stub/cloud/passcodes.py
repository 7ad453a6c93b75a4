"""Passcodes of HOTP and TOTP tokens: judged, and resynchronised. One conditional update accepts a factor once."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select, update

from server_stub.cloud import hotp
from server_stub.cloud.messages import Activate, Activation, Passcode, Resync, VerifyResult
from server_stub.cloud.store import attempts, audit, tokens
from server_stub.cloud.tokens import assign, owned, seed_row, used
from server_stub.errors import ApiError
from server_stub.limits import Schedule
from server_stub.vault import Vault

METHOD = "passcode"
USABLE = (tokens.c.state == "active") & tokens.c.kind.in_(("hotp", "totp"))


@dataclass(frozen=True, slots=True)
class OtpToken:
    """An OTP token: ``next_factor`` is the lowest factor that is still accepted, ``drift`` its clock's error in steps."""

    id: str
    key: bytes = field(repr=False)
    digits: int
    algorithm: str
    period: int
    """Seconds in a time step; 0 means that the token counts codes."""
    next_factor: int
    drift: int

    def candidates(self, now: float) -> range:
        """The factors that a code may have now."""
        if not self.period:
            return range(self.next_factor, self.next_factor + hotp.HOTP_LOOK_AHEAD + 1)
        step = int(now // self.period) + self.drift
        return range(max(self.next_factor, step - hotp.TOTP_WINDOW, 0), step + hotp.TOTP_WINDOW + 1)

    def resync_candidates(self, now: float) -> range:
        """The factors among which two codes in a row are looked for."""
        if not self.period:
            return range(self.next_factor, self.next_factor + hotp.RESYNC_HOTP + 1)
        step = int(now // self.period)
        return range(max(self.next_factor, step - hotp.RESYNC_TOTP, 0), step + hotp.RESYNC_TOTP + 1)


def verify(connection: Connection, vault: Vault, message: Passcode, now: float, schedule: Schedule) -> VerifyResult:
    """Judge a passcode. Of any number of submissions of the right one, exactly one is allowed."""
    token = _open(connection, vault, message.device_id, message.user_id)
    if token is None:
        return VerifyResult("deny", "unknown_session")
    result = _judge(connection, token, message.passcode, now, schedule)
    user = bytes.fromhex(message.user_id)
    audit.append(connection, now, "passcode.verify", result.status, user, token=token.id)
    return result


def activate(connection: Connection, vault: Vault, message: Activate, now: float, schedule: Schedule) -> Activation:
    """Give an OTP token that nobody has to who shows a code of it; serials that are not there look like wrong codes."""
    free = (tokens.c.serial == message.serial) & tokens.c.user_id.is_(None)
    row = connection.execute(select(tokens).where(free, USABLE).with_for_update()).one_or_none()
    user = bytes.fromhex(message.user_id)
    if row is None:
        audit.append(connection, now, "token.activate", "no such token", user)
        return Activation("deny", "wrong_code")
    result = _judge(connection, _token(vault, row), message.passcode, now, schedule)
    audit.append(connection, now, "token.activate", result.status, user, token=row.id)
    device = assign(connection, row.id, message.user_id, now) if result.result == "allow" else None
    return Activation(result.result, result.status, device, result.locked_until)


def _judge(connection: Connection, token: OtpToken, code: str, now: float, schedule: Schedule) -> VerifyResult:
    lock = attempts.reserve(connection, token.id, METHOD, now, schedule)
    if lock:
        return VerifyResult("deny", "locked_out", locked_until=lock.until)
    if not _accept(connection, token, code, now):
        return VerifyResult("deny", "wrong_code")
    attempts.clear(connection, token.id, METHOD)
    used(connection, token.id, now)
    return VerifyResult("allow", "approved")


def _accept(connection: Connection, token: OtpToken, code: str, now: float) -> bool:
    factor = hotp.find(token.key, code, token.candidates(now), token.digits, token.algorithm)
    if factor is None:
        return False
    drift = factor - int(now // token.period) if token.period else 0
    return _move(connection, token, factor + 1, drift)


def _move(connection: Connection, token: OtpToken, next_factor: int, drift: int) -> bool:
    """Accept everything below ``next_factor`` no longer, unless another request did so a moment ago."""
    fresh = (tokens.c.id == token.id) & (tokens.c.next_factor < next_factor)
    moved = connection.execute(update(tokens).where(fresh).values(next_factor=next_factor, drift=drift))
    return bool(moved.rowcount)


def resync(connection: Connection, vault: Vault, token_id: str, message: Resync, now: float) -> VerifyResult:
    """Find a token again by two codes in a row, far from where it was believed to be.

    Raises:
        ApiError: 404 if the user has no such OTP token.
    """
    token = _open(connection, vault, token_id, message.user_id)
    if token is None:
        raise ApiError(404, "TOKEN_UNKNOWN", "the user has no such OTP token")
    codes = (message.first, message.second)
    factor = hotp.find_two(token.key, codes, token.resync_candidates(now), token.digits, token.algorithm)
    found = False
    if factor is not None:
        drift = factor + 1 - int(now // token.period) if token.period else 0
        found = _move(connection, token, factor + 2, drift)
    if found:
        attempts.clear_all(connection, token.id)
    result = VerifyResult("allow", "approved") if found else VerifyResult("deny", "wrong_code")
    audit.append(connection, now, "token.resync", result.status, bytes.fromhex(message.user_id), token=token.id)
    return result


def _open(connection: Connection, vault: Vault, token_id: str, user_id: str) -> OtpToken | None:
    row = connection.execute(select(tokens).where(tokens.c.id == token_id, USABLE, owned(user_id))).one_or_none()
    return None if row is None else _token(vault, row)


def _token(vault: Vault, row: Row[Any]) -> OtpToken:
    key = vault.open(row.sealed_seed, seed_row(row.id))
    return OtpToken(row.id, key, row.digits, row.algorithm, row.period, row.next_factor, row.drift)
