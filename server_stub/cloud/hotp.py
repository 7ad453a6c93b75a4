"""One-time passwords: HOTP (RFC 4226), TOTP (RFC 6238), and how far a server looks for a token that has moved on.

A token is at a *factor*: how many codes it has made (HOTP), or the number of the time step (TOTP). The server keeps the
lowest factor that it still accepts, so no code is ever accepted twice.
"""

import hashlib
import hmac
from collections.abc import Iterable

from offline_qr.hotp import truncate

HOTP_LOOK_AHEAD = 10
"""How many codes may have been made and not used (RFC 4226 §7.4)."""
TOTP_WINDOW = 1
"""How many steps the token's clock may be off, beyond the drift that is known (RFC 6238 §5.2)."""
RESYNC_HOTP = 1000
RESYNC_TOTP = 1440
"""How far two codes in a row may be from where the token is believed to be: half a day of 30-second steps, each way."""


def hotp(key: bytes, factor: int, digits: int, algorithm: str = "sha1") -> str:
    """The code for a factor (RFC 4226 §5.3; other hashes as in RFC 6238 §1.2)."""
    digest = hmac.new(key, factor.to_bytes(8, "big"), getattr(hashlib, algorithm)).digest()
    return truncate(digest, digits)


def find(key: bytes, code: str, factors: Iterable[int], digits: int, algorithm: str) -> int | None:
    """The lowest of ``factors`` whose code is ``code``; every one of them is computed, right or wrong."""
    right = [
        factor
        for factor in factors
        if hmac.compare_digest(hotp(key, factor, digits, algorithm).encode(), code.encode())
    ]
    return min(right, default=None)


def find_two(key: bytes, codes: tuple[str, str], factors: Iterable[int], digits: int, algorithm: str) -> int | None:
    """The lowest of ``factors`` whose code is the first of ``codes``, and whose successor's is the second (resync)."""
    right = [
        factor
        for factor in factors
        if hmac.compare_digest(hotp(key, factor, digits, algorithm).encode(), codes[0].encode())
        and hmac.compare_digest(hotp(key, factor + 1, digits, algorithm).encode(), codes[1].encode())
    ]
    return min(right, default=None)
