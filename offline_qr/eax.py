"""AES-EAX (Bellare, Rogaway, Wagner: The EAX Mode of Operation), which LinOTP's QR token uses, with 16-byte tags."""

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.cmac import CMAC

TAG_BYTES = 16
_BLOCK_BYTES = 16


class EaxBrokenError(ValueError):
    """The key is another one, or a bit of the nonce, the data or the sealed bytes changed. Which one cannot be known."""


def seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """``plaintext`` encrypted, then a tag of 16 bytes over it and over ``associated``."""
    start = _omac(key, 0, nonce)
    ciphertext = _ctr(key, start, plaintext)
    return ciphertext + _tag(key, start, ciphertext, associated)


def open_sealed(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    """The plaintext.

    Raises:
        EaxBrokenError: the tag does not fit, or there is none.
    """
    start = _omac(key, 0, nonce)
    ciphertext, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(key, start, ciphertext, associated)):
        raise EaxBrokenError("the seal does not hold")
    return _ctr(key, start, ciphertext)


def _tag(key: bytes, start: bytes, ciphertext: bytes, associated: bytes) -> bytes:
    parts = (start, _omac(key, 1, associated), _omac(key, 2, ciphertext))
    return bytes(a ^ b ^ c for a, b, c in zip(*parts, strict=True))


def _omac(key: bytes, number: int, data: bytes) -> bytes:
    mac = CMAC(AES(key))
    mac.update(number.to_bytes(_BLOCK_BYTES) + data)
    return mac.finalize()


def _ctr(key: bytes, start: bytes, data: bytes) -> bytes:
    cipher = Cipher(AES(key), CTR(start)).encryptor()
    return cipher.update(data) + cipher.finalize()
