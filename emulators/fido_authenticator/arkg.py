"""ARKG-P256, the key's half: the private keys to public keys that others derive (draft-bradleylundberg-cfrg-arkg-10).

The holder of the public seed makes as many public keys as it likes, without the key; a key handle that comes with each
lets the key, and nobody else, find the private key.
"""

import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of P-256's group."""

MAX_CONTEXT_BYTES: Final = 64

_CURVE = ec.SECP256R1()
_BLINDING = b"ARKG-P256"
_ENCAPSULATION = b"ARKG-ECDH.ARKG-P256"
_TAG_BYTES = 16
_HASH_BLOCK_BYTES = 64
_FIELD_BYTES = 48  # L of P256_XMD:SHA-256_SSWU_RO_, RFC 9380 §8.2


@dataclass(frozen=True, slots=True)
class PrivateSeed:
    """The two scalars from which all derived private keys follow: for blinding and for encapsulation."""

    blinding: int = field(repr=False)
    encapsulation: int = field(repr=False)

    def derive(self, key_handle: bytes, context: bytes) -> int:
        """ARKG-Derive-Private-Key: the scalar of the public key that was derived with ``key_handle``, §2.3.

        Raises:
            ValueError: if ``key_handle`` was not made for this seed and ``context``, or the context is too long.
        """
        if len(context) > MAX_CONTEXT_BYTES:
            raise ValueError(f"expected a context of at most {MAX_CONTEXT_BYTES} bytes, found {len(context)}")
        prefixed = bytes((len(context),)) + context
        shared = self._decapsulate(key_handle, b"ARKG-Derive-Key-KEM." + prefixed)
        tag = b"ARKG-BL-EC." + _BLINDING + b"ARKG-Derive-Key-BL." + prefixed
        return (self.blinding + _hash_to_scalar(shared, tag)) % ORDER

    def _decapsulate(self, key_handle: bytes, context: bytes) -> bytes:
        """KEM-Decaps, §3.2 and §3.3: what the deriving side agreed on with a key pair of its own."""
        tag, point = key_handle[:_TAG_BYTES], key_handle[_TAG_BYTES:]
        try:
            peer = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
        except ValueError as error:
            raise ValueError("expected a key handle with a point of P-256, found another one") from error
        agreed = ec.derive_private_key(self.encapsulation, _CURVE).exchange(ec.ECDH(), peer)
        label = _ENCAPSULATION + context
        mac_key = _hkdf(agreed, b"ARKG-KEM-HMAC-mac." + label)
        if not hmac.compare_digest(hmac.digest(mac_key, point, "sha256")[:_TAG_BYTES], tag):
            raise ValueError("expected a key handle for this seed and context, found another one")
        return _hkdf(agreed, b"ARKG-KEM-HMAC-shared." + label)


def _hkdf(secret: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, None, info).derive(secret)


def _hash_to_scalar(message: bytes, tag: bytes) -> int:
    """hash_to_field with count 1, over the scalars: RFC 9380 §5.2, expand_message_xmd with SHA-256, §5.3.1."""
    suffix = tag + bytes((len(tag),))
    first = sha256(bytes(_HASH_BLOCK_BYTES) + message + _FIELD_BYTES.to_bytes(2) + b"\0" + suffix).digest()
    block = sha256(first + b"\x01" + suffix).digest()
    uniform = block
    mixed = bytes(one ^ other for one, other in zip(first, block, strict=True))
    uniform += sha256(mixed + b"\x02" + suffix).digest()
    return int.from_bytes(uniform[:_FIELD_BYTES]) % ORDER
