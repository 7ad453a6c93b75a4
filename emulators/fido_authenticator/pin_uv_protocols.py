"""PIN/UV auth protocols one and two on the authenticator's side: shared secrets and signatures (CTAP 2.3 §6.5.4)."""

import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from emulators.env import Random

_BLOCK: Final = 16


class SharedSecret(Protocol):
    """What key agreement gives: the host and the key can hide from, and prove to, each other."""

    def encrypt(self, plaintext: bytes) -> bytes:
        """``plaintext``, a multiple of 16 bytes, hidden."""
        ...

    def decrypt(self, ciphertext: bytes) -> bytes:
        """What ``encrypt`` hid.

        Raises:
            ValueError: if ``ciphertext`` has an impossible length.
        """
        ...

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the host, knowing the secret, signed ``message``; takes the same time for every wrong signature."""
        ...


class AuthProtocol(Protocol):
    """One PIN/UV auth protocol."""

    @staticmethod
    def secret(point: bytes, random: Random) -> SharedSecret:
        """The shared secret from ``point``, the x coordinate (32 bytes) that both sides computed."""
        ...

    @staticmethod
    def verify(key: bytes, message: bytes, signature: bytes) -> bool:
        """Whether ``signature`` over ``message`` was made with ``key``, in constant time."""
        ...


def _cbc(key: bytes, vector: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(key), modes.CBC(vector))


def _encrypt(key: bytes, vector: bytes, plaintext: bytes) -> bytes:
    encryptor = _cbc(key, vector).encryptor()
    return encryptor.update(plaintext) + encryptor.finalize()


def _decrypt(key: bytes, vector: bytes, ciphertext: bytes) -> bytes:
    if not ciphertext or len(ciphertext) % _BLOCK:
        raise ValueError(f"expected whole blocks of {_BLOCK} bytes, found {len(ciphertext)} bytes")
    decryptor = _cbc(key, vector).decryptor()
    return decryptor.update(ciphertext) + decryptor.finalize()


@dataclass(frozen=True, slots=True)
class _SecretOne:
    key: bytes = field(repr=False)

    def encrypt(self, plaintext: bytes) -> bytes:
        return _encrypt(self.key, bytes(_BLOCK), plaintext)

    def decrypt(self, ciphertext: bytes) -> bytes:
        return _decrypt(self.key, bytes(_BLOCK), ciphertext)

    def verify(self, message: bytes, signature: bytes) -> bool:
        return ProtocolOne.verify(self.key, message, signature)


class ProtocolOne:
    """PIN/UV auth protocol one, §6.5.6: one key, a zero vector, signatures of 16 bytes."""

    @staticmethod
    def secret(point: bytes, random: Random) -> SharedSecret:
        """SHA-256 of ``point``."""
        del random
        return _SecretOne(sha256(point).digest())

    @staticmethod
    def verify(key: bytes, message: bytes, signature: bytes) -> bool:
        """The first half of HMAC-SHA-256."""
        return hmac.compare_digest(hmac.digest(key, message, "sha256")[:16], signature)


@dataclass(frozen=True, slots=True)
class _SecretTwo:
    hmac_key: bytes = field(repr=False)
    aes_key: bytes = field(repr=False)
    random: Random = field(repr=False)

    def encrypt(self, plaintext: bytes) -> bytes:
        vector = self.random.token_bytes(_BLOCK)
        return vector + _encrypt(self.aes_key, vector, plaintext)

    def decrypt(self, ciphertext: bytes) -> bytes:
        return _decrypt(self.aes_key, ciphertext[:_BLOCK], ciphertext[_BLOCK:])

    def verify(self, message: bytes, signature: bytes) -> bool:
        return ProtocolTwo.verify(self.hmac_key, message, signature)


class ProtocolTwo:
    """PIN/UV auth protocol two, §6.5.7: two keys, a random vector, signatures of 32 bytes."""

    @staticmethod
    def secret(point: bytes, random: Random) -> SharedSecret:
        """Two keys by HKDF from ``point``; ``random`` makes the vectors."""
        return _SecretTwo(_hkdf(point, b"CTAP2 HMAC key"), _hkdf(point, b"CTAP2 AES key"), random)

    @staticmethod
    def verify(key: bytes, message: bytes, signature: bytes) -> bool:
        """HMAC-SHA-256."""
        return hmac.compare_digest(hmac.digest(key, message, "sha256"), signature)


def _hkdf(secret: bytes, info: bytes, length: int = 32) -> bytes:
    return HKDF(hashes.SHA256(), length, bytes(32), info).derive(secret)


PROTOCOLS: dict[int, AuthProtocol] = {1: ProtocolOne, 2: ProtocolTwo}
"""Every protocol that a profile may advertise, by pinUvAuthProtocol."""


def sealed_for_holder(persistent_token: bytes, info: bytes, plaintext: bytes, random: Random) -> bytes:
    """What getInfo calls encIdentifier and encCredStoreState, §6.4: a vector and ``plaintext`` (16 bytes) under a key from the token.

    Only a host that was given the persistent token can read it; to all others it is fresh noise each time.
    """
    vector = random.token_bytes(_BLOCK)
    return vector + _encrypt(_hkdf(persistent_token, info, _BLOCK), vector, plaintext)
