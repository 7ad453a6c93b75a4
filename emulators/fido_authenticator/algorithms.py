"""Signature algorithms, one table by COSE identifier: make a key, publish it, sign with it.

A private key is kept as a short byte string that each algorithm defines for itself. Keys come from ``Env.random`` and
signatures are deterministic (RFC 6979 for ECDSA), so a seeded run gives the same bytes; all but ML-DSA signatures, to
which the library always adds randomness of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding

from emulators.env import Random
from emulators.fido_authenticator import rsa
from emulators.fido_authenticator.cbor import CborValue

ES256 = -7
RS256 = -257


class SigningKey(Protocol):
    """A private key that is loaded and ready."""

    def public_key(self) -> dict[int, CborValue]:
        """The public key as a COSE_Key map."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over ``message`` in the form that WebAuthn §6.5.5 asks for."""
        ...


class Algorithm(Protocol):
    """How to make and to load the keys of one COSE algorithm."""

    @property
    def cose(self) -> int:
        """The COSE algorithm identifier."""
        ...

    def make(self, random: Random) -> bytes:
        """A new private key."""
        ...

    def load(self, private_key: bytes) -> SigningKey:
        """The private key that ``make`` returned, ready to sign."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _EcdsaKey:
    private: ec.EllipticCurvePrivateKey
    algorithm: "_Ecdsa"

    def public_key(self) -> dict[int, CborValue]:
        point = self.private.public_key().public_numbers()
        size = self.algorithm.size
        return {
            1: 2,  # kty: EC2
            3: self.algorithm.cose,
            -1: self.algorithm.cose_curve,
            -2: point.x.to_bytes(size),
            -3: point.y.to_bytes(size),
        }

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message, self.algorithm.scheme)


class _Ecdsa:
    """ECDSA; the private key is the scalar, big-endian, as wide as the curve."""

    def __init__(self, cose: int, cose_curve: int, curve: ec.EllipticCurve, digest: hashes.HashAlgorithm) -> None:
        self.cose = cose
        self.cose_curve = cose_curve
        self.curve = curve
        self.size = (curve.key_size + 7) // 8
        self.scheme = ec.ECDSA(digest, deterministic_signing=True)

    def make(self, random: Random) -> bytes:
        # FIPS 186-5 A.2.1: 64 extra bits make the reduction's bias negligible.
        draw = int.from_bytes(random.token_bytes(self.size + 8))
        return (draw % (self.curve.group_order - 1) + 1).to_bytes(self.size)

    def load(self, private_key: bytes) -> SigningKey:
        return _EcdsaKey(ec.derive_private_key(int.from_bytes(private_key), self.curve), self)


class _RawKey(Protocol):
    """A private key of the library whose public half is a plain byte string."""

    def public_key(self) -> "_RawPublicKey": ...

    def sign(self, data: bytes, /) -> bytes: ...


class _RawPublicKey(Protocol):
    def public_bytes_raw(self) -> bytes: ...


@dataclass(frozen=True, slots=True, eq=False)
class _SeededKey:
    private: _RawKey
    algorithm: "_Seeded"

    def public_key(self) -> dict[int, CborValue]:
        return {**self.algorithm.cose_key, self.algorithm.member: self.private.public_key().public_bytes_raw()}

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


@dataclass(frozen=True, slots=True)
class _Seeded:
    """A scheme whose private key is a seed of ``size`` bytes; ``member`` of the COSE_Key holds the public key."""

    cose: int
    size: int
    from_seed: Callable[[bytes], _RawKey]
    cose_key: dict[int, CborValue]
    member: int

    def make(self, random: Random) -> bytes:
        return random.token_bytes(self.size)

    def load(self, private_key: bytes) -> SigningKey:
        return _SeededKey(self.from_seed(private_key), self)


def _edwards(cose: int, cose_curve: int, size: int, from_seed: Callable[[bytes], _RawKey]) -> _Seeded:
    return _Seeded(cose, size, from_seed, {1: 1, 3: cose, -1: cose_curve}, member=-2)  # kty: OKP


def _ml_dsa(cose: int, from_seed: Callable[[bytes], _RawKey]) -> _Seeded:
    return _Seeded(cose, 32, from_seed, {1: 7, 3: cose}, member=-1)  # kty: AKP


class _RsaKey:
    def __init__(self, private_key: bytes) -> None:
        self._private = rsa.load(private_key)

    def public_key(self) -> dict[int, CborValue]:
        numbers = self._private.public_key().public_numbers()
        return {1: 3, 3: RS256, -1: numbers.n.to_bytes(256), -2: numbers.e.to_bytes(3)}  # kty: RSA

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message, padding.PKCS1v15(), hashes.SHA256())


class _Rs256:
    """RSASSA-PKCS1-v1_5 with SHA-256 and 2048 bits."""

    cose = RS256

    def make(self, random: Random) -> bytes:
        return rsa.Search.begin(random).finish()

    def load(self, private_key: bytes) -> SigningKey:
        return _RsaKey(private_key)


_P256, _P384, _P521, _K256 = ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1(), ec.SECP256K1()
_ed25519 = ed25519.Ed25519PrivateKey.from_private_bytes
_ed448 = ed448.Ed448PrivateKey.from_private_bytes

ALGORITHMS: dict[int, Algorithm] = {
    algorithm.cose: algorithm
    for algorithm in (
        _Ecdsa(ES256, 1, _P256, hashes.SHA256()),
        _Ecdsa(-35, 2, _P384, hashes.SHA384()),  # ES384
        _Ecdsa(-36, 3, _P521, hashes.SHA512()),  # ES512
        _Ecdsa(-47, 8, _K256, hashes.SHA256()),  # ES256K
        # RFC 9864: the same again under identifiers that name the curve.
        _Ecdsa(-9, 1, _P256, hashes.SHA256()),  # ESP256
        _Ecdsa(-51, 2, _P384, hashes.SHA384()),  # ESP384
        _Ecdsa(-52, 3, _P521, hashes.SHA512()),  # ESP512
        _edwards(-8, 6, 32, _ed25519),  # EdDSA
        _edwards(-19, 6, 32, _ed25519),  # Ed25519
        _edwards(-53, 7, 57, _ed448),  # Ed448
        _Rs256(),
        _ml_dsa(-48, mldsa.MLDSA44PrivateKey.from_seed_bytes),
        _ml_dsa(-49, mldsa.MLDSA65PrivateKey.from_seed_bytes),
        _ml_dsa(-50, mldsa.MLDSA87PrivateKey.from_seed_bytes),
    )
}
"""Every algorithm that a profile may advertise."""
