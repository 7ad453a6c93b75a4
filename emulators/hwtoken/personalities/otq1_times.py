"""The time of an OTQ1 message against the token's clock, or on its display where it has none."""

from datetime import UTC, datetime

from emulators.hwtoken.layout import Entry
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities.base import Rejected
from emulators.hwtoken.screens import ErrorKind
from offline_qr import otq1

DRIFT_SECONDS = 120
"""How far the device's clock and the server's may be apart (docs/reference/otq1.md)."""


def check_time(header: otq1.Header, parts: Parts) -> None:
    """Refuse a message that has ended or comes from the future, with two minutes for clocks that drift.

    Raises:
        Rejected: as above.
    """
    now = parts.clock.now()
    if now is None:
        return
    if header.expired_at(now, DRIFT_SECONDS):
        raise Rejected(ErrorKind.EXPIRED, "This challenge has ended. Get a new one.")
    if header.in_the_future_at(now, DRIFT_SECONDS):
        raise Rejected(ErrorKind.NOT_YET_VALID, "This challenge is from the future.")


def issued_entry(header: otq1.Header, parts: Parts) -> tuple[Entry, ...]:
    """When the message was issued, for a user whose token cannot judge it; otherwise nothing."""
    if parts.clock.now() is not None:
        return ()
    issued = datetime.fromtimestamp(header.issued_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (Entry("Issued", issued),)
