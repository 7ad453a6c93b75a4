"""Rows that have expired are removed: now and then by itself, and whenever an administrator asks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from sqlalchemy import Connection, delete
from sqlalchemy.exc import SQLAlchemyError

from server_stub.cloud.service import Cloud
from server_stub.cloud.store import challenges, enrollments, pushes
from server_stub.iam import Iam
from server_stub.jose import LEEWAY
from server_stub.store.iam import addresses, approvals, attempts, device_tokens, sessions, used_tickets

log = logging.getLogger(__name__)

CHALLENGE_MEMORY = 3600.0
"""How long (seconds) an expired challenge is kept, so that a late code is told why it is late."""
ATTEMPT_MEMORY = 86400.0
"""How long (seconds) wrong attempts that lock nobody are remembered."""


def sweep_iam(connection: Connection, iam: Iam) -> dict[str, int]:
    """How many rows of each kind were removed from the IAM's database."""
    now = iam.now()
    return {
        "sessions": connection.execute(delete(sessions).where(sessions.c.expires_at <= now)).rowcount,
        "approvals": connection.execute(delete(approvals).where(approvals.c.expires_at <= now)).rowcount,
        "device_tokens": connection.execute(delete(device_tokens).where(device_tokens.c.expires_at <= now)).rowcount,
        "used_tickets": connection.execute(
            delete(used_tickets).where(used_tickets.c.expires_at <= now - LEEWAY)
        ).rowcount,
        "attempts": attempts.forget(connection, now - ATTEMPT_MEMORY, now),
        "addresses": addresses.forget(connection, now),
    }


def sweep_cloud(connection: Connection, now: float) -> dict[str, int]:
    """How many rows of each kind were removed from the cloud's database."""
    gone = challenges.c.expires_at <= now - CHALLENGE_MEMORY
    over = pushes.c.expires_at <= now - CHALLENGE_MEMORY
    return {
        "challenges": connection.execute(delete(challenges).where(gone)).rowcount,
        "enrollments": connection.execute(
            delete(enrollments).where(enrollments.c.expires_at <= now - CHALLENGE_MEMORY)
        ).rowcount,
        "pushes": connection.execute(delete(pushes).where(over)).rowcount,
    }


async def keep_sweeping(iam: Iam | None, cloud: Cloud | None, interval: float) -> None:
    """Sweep the databases of this process every ``interval`` seconds until cancelled; a busy one is tried again."""
    while True:
        await asyncio.sleep(interval)
        if iam:
            await _try(partial(iam.database.run_aside, sweep_iam, iam))
        if cloud:
            await _try(partial(cloud.database.run_aside, sweep_cloud, cloud.settings.time()))


async def _try(sweep: Callable[[], Awaitable[dict[str, int]]]) -> None:
    try:
        log.debug("swept %s", await sweep())
    except SQLAlchemyError:
        log.exception("could not sweep; will try again")
