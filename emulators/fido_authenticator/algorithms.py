"""Signature algorithms, one table by COSE identifier: make a key, publish it, sign with it.

A private key is kept as a short byte string that each algorithm defines for itself. Keys come from ``Env.random`` and
signatures are deterministic (RFC 6979 for ECDSA), so a seeded run gives the same bytes.
"""

from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from emulators.env import Random
from emulators.fido_authenticator.cbor import CborValue

ES256 = -7


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
    """ECDSA on a NIST curve; the private key is the scalar, big-endian, as wide as the curve."""

    def __init__(
        self, cose: int, cose_curve: int, curve: ec.EllipticCurve, order: int, digest: hashes.HashAlgorithm
    ) -> None:
        self.cose = cose
        self.cose_curve = cose_curve
        self.curve = curve
        self.order = order
        self.size = (curve.key_size + 7) // 8
        self.scheme = ec.ECDSA(digest, deterministic_signing=True)

    def make(self, random: Random) -> bytes:
        # FIPS 186-5 A.2.1: 64 extra bits make the reduction's bias negligible.
        draw = int.from_bytes(random.token_bytes(self.size + 8))
        return (draw % (self.order - 1) + 1).to_bytes(self.size)

    def load(self, private_key: bytes) -> SigningKey:
        return _EcdsaKey(ec.derive_private_key(int.from_bytes(private_key), self.curve), self)


_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

ALGORITHMS: dict[int, Algorithm] = {
    ES256: _Ecdsa(ES256, 1, ec.SECP256R1(), _P256_ORDER, hashes.SHA256()),
}
"""Every algorithm that a profile may advertise."""
