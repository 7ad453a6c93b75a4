"""QR badges that people hold to a camera: ``AQB1:`` and base45 of a few bytes.

An insecure badge stands for a user name: it is a random number that the server knows the user by, and another factor
must follow. A secure badge stands for user name and password: it also holds the user's permanent id, sealed under a key
that the server changes with the password, so that the badge dies with it.

``version 1 (1 byte) | kind (1 byte: 1 insecure, 2 secure) | badge id (16 bytes)``, and in a secure badge
``| AES-256-GCM-SIV of the 16-byte user id (32 bytes)``: nonce the first 12 bytes of the badge id, associated data the
18 bytes before. A printed badge can be copied; whoever holds a secure badge's text can log in with it.
"""

from dataclasses import dataclass, field

from offline_qr import base45_strict, gcm_siv

PREFIX = b"AQB1:"
BADGE_ID_BYTES = 16
USER_ID_BYTES = 16
_VERSION = 1
_INSECURE, _SECURE = 1, 2
_SEALED_BYTES = USER_ID_BYTES + gcm_siv.TAG_BYTES
_HEAD_BYTES = 2 + BADGE_ID_BYTES
_LENGTHS = {_INSECURE: _HEAD_BYTES, _SECURE: _HEAD_BYTES + _SEALED_BYTES}


class BadgeError(ValueError):
    """A text is no badge, or a badge cannot be made or opened; the sentence says why and quotes no secret."""


@dataclass(frozen=True, slots=True)
class InsecureBadge:
    """A user name in disguise. Alone it proves nothing."""

    badge_id: bytes
    """16 random bytes; the server looks the user up by them."""

    def __post_init__(self) -> None:
        _check_length("badge id", self.badge_id, BADGE_ID_BYTES)

    @property
    def text(self) -> str:
        """What the badge's QR code says."""
        return _text(_head(_INSECURE, self.badge_id))


@dataclass(frozen=True, slots=True)
class SecureBadge:
    """User name and password at once."""

    badge_id: bytes
    """16 random bytes; the server looks the user up by them."""
    sealed: bytes = field(repr=False)
    """32 bytes: the user's permanent id under a key that only the server has."""

    def __post_init__(self) -> None:
        _check_length("badge id", self.badge_id, BADGE_ID_BYTES)
        _check_length("sealed user id", self.sealed, _SEALED_BYTES)

    @property
    def text(self) -> str:
        """What the badge's QR code says: a credential, never to be logged."""
        return _text(_head(_SECURE, self.badge_id) + self.sealed)


def parse(data: bytes) -> InsecureBadge | SecureBadge:
    """The badge whose QR code reads ``data``, untouched as the decoder gave it. Nothing is proven by that yet.

    Raises:
        BadgeError: no badge, an unknown version or kind, or not exactly its bytes.
    """
    if not data.startswith(PREFIX):
        raise BadgeError(f"this is no badge: expected a text that starts with {PREFIX.decode()}")
    if len(data) > len(PREFIX) + 2 * max(_LENGTHS.values()):
        raise BadgeError(f"the badge is damaged: {len(data)} characters are too many")
    try:
        content = base45_strict.decode(data.removeprefix(PREFIX))
    except ValueError:
        raise BadgeError("the badge is damaged: characters are missing or were changed") from None
    if not content or content[0] != _VERSION:
        raise BadgeError(f"unknown badge version: expected {_VERSION}, found {content[:1].hex() or 'none'}")
    kind = int.from_bytes(content[1:2])
    if kind not in _LENGTHS:
        raise BadgeError(f"unknown kind of badge: expected {_INSECURE} (insecure) or {_SECURE} (secure), found {kind}")
    _check_length("badge", content, _LENGTHS[kind])
    badge_id, sealed = content[2:_HEAD_BYTES], content[_HEAD_BYTES:]
    return InsecureBadge(badge_id) if kind == _INSECURE else SecureBadge(badge_id, sealed)


def seal(badge_id: bytes, user_id: bytes, key: bytes) -> SecureBadge:
    """A secure badge for the user ``user_id`` (16 bytes).

    Args:
        badge_id: 16 random bytes, new for every badge.
        user_id: the user's permanent id.
        key: 32 bytes, the user's own, and another one after each change of the password.

    Raises:
        BadgeError: one of them has another length.
    """
    _check_length("badge id", badge_id, BADGE_ID_BYTES)
    _check_length("user id", user_id, USER_ID_BYTES)
    _check_length("key", key, gcm_siv.KEY_BYTES)
    head = _head(_SECURE, badge_id)
    return SecureBadge(badge_id, gcm_siv.seal(key, badge_id[: gcm_siv.NONCE_BYTES], user_id, head))


def open_sealed(badge: SecureBadge, key: bytes) -> bytes:
    """The permanent id of the user whom the badge was made for. Compare it with the user whom the badge id names.

    Raises:
        BadgeError: the badge is forged or changed, is another user's, or was made before the key changed.
    """
    _check_length("key", key, gcm_siv.KEY_BYTES)
    nonce, head = badge.badge_id[: gcm_siv.NONCE_BYTES], _head(_SECURE, badge.badge_id)
    try:
        return gcm_siv.open_sealed(key, nonce, badge.sealed, head)
    except gcm_siv.SealBrokenError:
        raise BadgeError(
            "the badge is not valid: it is forged, is another user's, or its password has changed"
        ) from None


def _head(kind: int, badge_id: bytes) -> bytes:
    return bytes([_VERSION, kind]) + badge_id


def _text(content: bytes) -> str:
    return PREFIX.decode() + base45_strict.encode(content)


def _check_length(name: str, value: bytes, expected: int) -> None:
    if len(value) != expected:
        raise BadgeError(f"a {name} has {expected} bytes, found {len(value)}")
