"""Authenticator data, and the statement that vouches for a new credential (WebAuthn §6.1, §8)."""

from hashlib import sha256

from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.algorithms import SigningKey
from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.credentials import Credential

USER_PRESENT = 0x01
USER_VERIFIED = 0x04
ATTESTED = 0x40
EXTENSIONS = 0x80


def authenticator_data(
    rp_id: str, flags: int, counter: int, attested: bytes = b"", extensions: dict[str, CborValue] | None = None
) -> bytes:
    """RP ID hash (32 bytes), flags (1), counter (4), attested credential data and extension outputs if there are any."""
    if attested:
        flags |= ATTESTED
    if extensions:
        flags |= EXTENSIONS
    data = sha256(rp_id.encode()).digest() + bytes((flags,)) + counter.to_bytes(4) + attested
    return data + cbor.encode(extensions) if extensions else data


def attested_credential_data(aaguid: bytes, credential: Credential, key: SigningKey) -> bytes:
    """AAGUID (16 bytes), length of the id (2), the id, and the public key as canonical COSE_Key."""
    return aaguid + len(credential.id).to_bytes(2) + credential.id + cbor.encode(key.public_key())


def self_attestation(credential: Credential, key: SigningKey, signed: bytes) -> dict[str, CborValue]:
    """A packed statement in which the new key vouches for itself (WebAuthn §8.2, self attestation)."""
    return {"alg": credential.algorithm, "sig": key.sign(signed)}
