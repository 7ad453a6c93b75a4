"""AES-256-GCM-SIV (RFC 8452): authenticated encryption that survives a repeated nonce.

Under a repeated nonce it shows no more than that two equal messages are equal. A server that was restored from a
snapshot, or that has a poor random source, does repeat nonces.
"""

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


class SealBrokenError(ValueError):
    """The key is another one, or a bit of the nonce, the data or the sealed bytes changed. Which one cannot be known."""


class SealUnavailableError(RuntimeError):
    """This machine's OpenSSL has no AES-GCM-SIV."""


def seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """``plaintext`` encrypted, then a tag of 16 bytes over it and over ``associated``.

    Raises:
        SealUnavailableError: where the cryptography library lacks the algorithm.
    """
    return _cipher(key).encrypt(nonce, plaintext, associated)


def open_sealed(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    """The plaintext, of which every bit is the sealer's.

    Raises:
        SealBrokenError: where it is not.
        SealUnavailableError: where the cryptography library lacks the algorithm.
    """
    try:
        return _cipher(key).decrypt(nonce, sealed, associated)
    except InvalidTag:
        raise SealBrokenError("the seal does not hold") from None


def _cipher(key: bytes) -> AESGCMSIV:
    if len(key) != KEY_BYTES:
        raise ValueError(f"an AES-256-GCM-SIV key has {KEY_BYTES} bytes, found {len(key)}")
    try:
        return AESGCMSIV(key)
    except UnsupportedAlgorithm:
        raise SealUnavailableError(
            "AES-GCM-SIV is missing: it needs OpenSSL 3.2 or later, as in the cryptography wheels; found a build without it"
        ) from None
