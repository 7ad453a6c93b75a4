"""What all lseqr messages share: base64url without padding, texts that end with a zero byte, keys from X25519."""

import base64
import hashlib
import re
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from offline_qr.lseqr.errors import Damaged, NotEncodable

KEY_BYTES = 32
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
MAX_TEXT = 7089
"""Characters in the largest QR code."""


def encode(data: bytes) -> str:
    """``data`` in base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes that ``text`` stands for. Raises Damaged where it is not exactly what ``encode`` makes."""
    if len(text) > MAX_TEXT:
        raise Damaged(f"the text is longer than any QR code: expected up to {MAX_TEXT} characters, found {len(text)}")
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise Damaged("the text is not base64url: characters are missing or were changed")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        raise Damaged("the text is not the one base64url spelling of its bytes")
    return data


def as_text(data: str | bytes) -> str:
    """What the decoder read, as characters; bytes that are no ASCII become characters that no message has."""
    return data if isinstance(data, str) else data.decode("ascii", "replace")


def pack_text(name: str, text: str, most: int) -> bytes:
    """``text`` in UTF-8 and a zero byte. Raises NotEncodable."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise NotEncodable(f"the {name} has a lone surrogate") from None
    if len(data) > most or b"\0" in data:
        raise NotEncodable(f"the {name} has up to {most} bytes of UTF-8 and no zero byte, found {len(data)} bytes")
    return data + b"\0"


def agree(private_key: bytes, public_key: bytes) -> bytes:
    """The secret that X25519 gives. Raises Damaged for a public key that would give everyone the same one."""
    try:
        return X25519PrivateKey.from_private_bytes(private_key).exchange(X25519PublicKey.from_public_bytes(public_key))
    except ValueError:
        raise Damaged("a public key is no good one: it would give everyone the same secret") from None


def public_key(private_key: bytes) -> bytes:
    """The X25519 public key, 32 bytes."""
    return X25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


@dataclass(frozen=True, slots=True)
class MessageKeys:
    """What one agreement is used for: SHA-256 of the secret, and SHA-256 of that."""

    secret: bytes = field(repr=False)

    @property
    def seal_key(self) -> bytes:
        """The key of the seal, 16 bytes."""
        return self._first[:16]

    @property
    def response_nonce(self) -> bytes:
        """The nonce of a pairing response, 16 bytes."""
        return self._first[16:]

    @property
    def sign_key(self) -> bytes:
        """The key of the user's signature, 16 bytes."""
        return self._second[:16]

    @property
    def challenge_nonce(self) -> bytes:
        """The nonce of a challenge, 16 bytes."""
        return self._second[16:]

    @property
    def _first(self) -> bytes:
        return hashlib.sha256(self.secret).digest()

    @property
    def _second(self) -> bytes:
        return hashlib.sha256(self._first).digest()
