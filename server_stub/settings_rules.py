"""What settings may be, beyond their types. What the server could not run with is refused in the file's own words."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from server_stub.cloud.messages import CHALLENGE_TTL, PUSH_TTL
from server_stub.limits import Schedule
from server_stub.settings import Argon2Cost
from server_stub.toml_lines import MistakeError

TEN_YEARS = 10 * 365 * 86400
"""Longer than any setting is meant; a time much later than that has no date."""
MOST_WRONG = 1_000_000
_PORT = (0, 65535)
_RANGES: Mapping[str, tuple[int, int]] = {
    "public_port": _PORT,
    "internal_port": _PORT,
    "cloud_port": _PORT,
    "login_challenge_ttl": CHALLENGE_TTL,
    "transaction_challenge_ttl": CHALLENGE_TTL,
    "push_ttl": PUSH_TTL,
    "workers": (1, 256),
    "body_limit": (1024, 64 * 2**20),
}
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
_AAGUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def check(name: str, value: Any) -> None:
    """Refuse a ``value`` that the setting ``name`` cannot have.

    Raises:
        MistakeError: with what is expected, and where it stands.
    """
    if isinstance(value, Schedule):
        _check_members(name, value, ("lock_from", 1, MOST_WRONG), ("hard_lock_at", value.lock_from, MOST_WRONG))
        _check_positive(value.first_lock, name, "first_lock")
    elif isinstance(value, Argon2Cost):
        _check_members(
            name, value, ("lanes", 1, 16), ("memory_kib", 8 * value.lanes, 4 * 2**20), ("iterations", 1, 100)
        )
    elif name in _RANGES:
        _check_range(value, *_RANGES[name], name)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _check_positive(value, name)
    elif name in _SHAPES:
        fits, expected = _SHAPES[name]
        if not fits(value):
            raise _mistake(value, expected, name)


def _check_members(name: str, table: object, *rules: tuple[str, int, int]) -> None:
    for member, least, most in rules:
        _check_range(getattr(table, member), least, most, name, member)


def _check_range(value: float, least: int, most: int, *path: str) -> None:
    if not least <= value <= most:
        raise _mistake(value, f"a number from {least} to {most}", *path)


def _check_positive(value: float, *path: str) -> None:
    if not 0 < value <= TEN_YEARS:
        raise _mistake(value, f"a number greater than 0, up to {TEN_YEARS}", *path)


def _mistake(value: object, expected: str, *path: str) -> MistakeError:
    return MistakeError(f"{'.'.join(path)} is {value!r}, expected {expected}", *path)


def _is_base(url: str) -> bool:
    """Whether it is the address of a server: no user, query or fragment."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and not (parts.username or parts.query or parts.fragment or re.search(r"[\s\\]", url))
        )
    except ValueError:  # a port that is none, or half of an IPv6 address
        return False


def _is_origin(text: str) -> bool:
    """As browsers write it (RFC 6454 §6.2), for it is compared letter by letter."""
    return _is_base(text) and text == text.lower() and urlsplit(text).path == ""


_SHAPES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "parts": (lambda parts: 0 < len(set(parts)) == len(parts), "iam, cloud, or both"),
    "cloud_url": (lambda url: not url or _is_base(url), "an address such as http://127.0.0.1:8482"),
    "rp_id": (lambda domain: bool(_DOMAIN.fullmatch(domain)), "a domain in small letters such as bank.example"),
    "origins": (lambda origins: all(map(_is_origin, origins)), "origins such as https://bank.example, without a path"),
    "fido_aaguids": (
        lambda aaguids: all(map(_AAGUID.fullmatch, aaguids)),
        "AAGUIDs such as 00000000-0000-0000-0000-000000000000",
    ),
    "service_name": (lambda text: text == text.strip() and 0 < len(text) <= 64, "a name of 1 to 64 characters"),
}
