"""Alarms: what an operator should look at now. They stand in the audit log and in the server's log."""

import logging

from sqlalchemy import Connection

from server_stub.iam import Iam
from server_stub.store.iam import audit

log = logging.getLogger(__name__)


def raise_alarm(connection: Connection, /, iam: Iam, what: str, user: bytes | None, **detail: str) -> None:
    """Raise an alarm in the caller's transaction; ``what`` is a few fixed words, so that one can look for them."""
    audit.append(connection, iam.now(), "alarm", what, user, **detail)
    log.warning("alarm: %s", what)
