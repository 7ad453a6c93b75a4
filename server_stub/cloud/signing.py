"""How a request to the cloud is signed, and how that is checked (Futurae Auth API, request authentication)."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache

MAX_CLOCK_DIFFERENCE = 300.0
"""How far (seconds) the date of a request may be from ours."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What is signed of a request: everything but the headers that proxies change."""

    method: str
    host: str
    target: str
    """Path, and ``?query`` where there is one."""
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """One service's account at the cloud. The authentication and the administration API have a key each."""

    service_id: str
    key: bytes = field(repr=False)


def sign(credentials: Credentials, request: Signed, now: float) -> dict[str, str]:
    """The headers that prove who sent ``request`` at ``now`` (seconds since 1970)."""
    date = _date(int(now))
    basic = f"{credentials.service_id}:{_mac(credentials.key, date, request)}"
    return {"FT-Date": date, "Authorization": "Basic " + base64.b64encode(basic.encode()).decode()}


def why_refused(credentials: Credentials, request: Signed, date: str, authorization: str, now: float) -> str | None:
    """Why the request is not believed, in a sentence; None when it is."""
    try:
        sent_at = _seconds(date)
    except (ValueError, OverflowError):
        return "FT-Date is missing or no RFC 2822 date"
    if abs(now - sent_at) > MAX_CLOCK_DIFFERENCE:
        return f"FT-Date is more than {MAX_CLOCK_DIFFERENCE:.0f} seconds away from the cloud's clock"
    basic = f"{credentials.service_id}:{_mac(credentials.key, date, request)}"
    expected = b"Basic " + base64.b64encode(basic.encode())
    if not hmac.compare_digest(expected, authorization.encode("utf-8", "replace")):
        return "the service id or the signature is wrong"
    return None


# Many requests are sent in one second: the same few dates are written and read again and again.
@lru_cache(maxsize=16)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


@lru_cache(maxsize=16)
def _seconds(date: str) -> float:
    return parsedate_to_datetime(date).timestamp()


def _mac(key: bytes, date: str, request: Signed) -> str:
    lines = f"{date}\n{request.method}\n{request.host}\n{request.target}\n".encode("utf-8", "replace")
    return hmac.new(key, lines + request.body + b"\n", hashlib.sha256).hexdigest().upper()
