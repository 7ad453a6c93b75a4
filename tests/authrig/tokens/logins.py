"""A token's seed, and challenges to it."""

import os

from offline_qr import otq1

SERIAL, SEED, PIN = "QT1-00000042", bytes(range(32)), "2749"
KEYS = otq1.derive_keys(SERIAL, SEED)


def challenge(now: float, suite: int = 1) -> otq1.Challenge:
    """A login, issued at ``now`` (seconds since 1970)."""
    header = otq1.Header(otq1.MessageType.LOGIN, otq1.key_id(SERIAL), os.urandom(12), int(now), 180, suite)
    return otq1.Challenge(header, (otq1.Field(otq1.Tag.SERVICE, "e-Banking"),))
