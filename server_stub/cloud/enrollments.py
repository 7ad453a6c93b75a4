"""Enrolment of apps: a code that the user scans or types, good once and for a few minutes, buys the app its seed."""

import hashlib
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select, update

from server_stub.cloud import tokens
from server_stub.cloud.messages import AppEnroll, AppSeed, Enroll, Enrollment, EnrollPoll, EnrollStatus, ImportToken
from server_stub.cloud.store import audit, enrollments
from server_stub.errors import ApiError
from server_stub.vault import Vault

SHORT_DIGITS = 16
URI = "authrig-app://enroll/"


@dataclass(frozen=True, slots=True)
class Codes:
    """What is handed out: ``long`` for a QR code, ``short`` for a letter or the telephone."""

    enrollment_id: str
    long: str = field(repr=False)
    short: str = field(repr=False)


def begin(connection: Connection, codes: Codes, message: Enroll, now: float) -> Enrollment:
    """Let the user enrol an app until the time is over; a code handed out before no longer counts."""
    earlier = (enrollments.c.user_id == message.user_id) & (enrollments.c.state == "pending")
    connection.execute(update(enrollments).where(earlier).values(state="cancelled"))
    expires_at = now + message.valid_secs
    connection.execute(
        insert(enrollments).values(
            id=codes.enrollment_id,
            user_id=message.user_id,
            long_hash=_hash(codes.long),
            short_hash=_hash(codes.short) if message.short_code else "",
            state="pending",
            expires_at=expires_at,
        )
    )
    user = bytes.fromhex(message.user_id)
    audit.append(connection, now, "enrollment.begin", "pending", user, enrollment=codes.enrollment_id)
    short = codes.short if message.short_code else None
    return Enrollment(codes.enrollment_id, codes.long, short, URI + codes.long, expires_at)


def status(connection: Connection, asked: EnrollPoll, now: float) -> EnrollStatus:
    """What became of it.

    Raises:
        ApiError: 404 if there is none, or it is not of the user who is named.
    """
    row = connection.execute(select(enrollments).where(enrollments.c.id == asked.enrollment_id)).one_or_none()
    if row is None or asked.user_id not in {None, row.user_id}:
        raise ApiError(404, "ENROLLMENT_UNKNOWN", "there is no such enrolment")
    if row.state == "pending" and row.expires_at > now:
        return EnrollStatus("pending")
    return EnrollStatus("success") if row.state == "done" else EnrollStatus("expired")


def complete(connection: Connection, vault: Vault, named: tuple[str, bytes], message: AppEnroll, now: float) -> AppSeed:
    """Give an app that shows a good code a seed; ``named`` is the id of the new device, and that seed.

    Raises:
        ApiError: 403 if the code is wrong, was used, or is too old; 409 if the serial is known already.
    """
    shown = _hash(message.activation_code)
    good = (enrollments.c.long_hash == shown) | (enrollments.c.short_hash == shown)
    user_id = connection.execute(
        update(enrollments)
        .where(good, enrollments.c.state == "pending", enrollments.c.expires_at > now)
        .values(state="done")
        .returning(enrollments.c.user_id)
    ).scalar_one_or_none()
    if user_id is None:
        raise ApiError(403, "ACTIVATION_CODE_WRONG", "the activation code is wrong, was used, or is too old")
    device_id, seed = named
    new = ImportToken(message.serial, seed.hex(), message.display_name, "app")
    tokens.import_token(connection, vault, device_id, new, now)
    tokens.assign(connection, device_id, user_id, now)
    return AppSeed(device_id, message.serial, seed.hex())


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()
