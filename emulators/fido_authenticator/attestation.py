"""Authenticator data, and the statement that vouches for a credential (WebAuthn §6.1, §8)."""

from dataclasses import dataclass
from hashlib import sha256
from typing import cast

from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.algorithms import ES256, SigningKey
from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.certificates import TestAuthority
from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.profile import Profile

USER_PRESENT = 0x01
USER_VERIFIED = 0x04
ATTESTED = 0x40
EXTENSIONS = 0x80

PACKED = "packed"
FIDO_U2F = "fido-u2f"
NONE = "none"
FORMATS = frozenset({PACKED, FIDO_U2F})
"""The statement formats that a profile may list; "none" is understood, and must not be (CTAP 2.3 §6.4)."""


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


def choose_format(profile: Profile, preference: tuple[str, ...], algorithm: int) -> str:
    """The statement format for a credential of ``algorithm``: CTAP 2.3 §6.1.2 step 19.

    ``preference`` is the host's attestationFormatsPreference. A host that names only "none" gets none; otherwise it
    gets what it likes best of what the key can do, or else the key's own first choice.
    """
    if preference == (NONE,):
        return NONE
    possible = [name for name in profile.attestation_formats if name != FIDO_U2F or algorithm == ES256]
    return next((name for name in preference if name in possible), possible[0] if possible else NONE)


def attested_aaguid(profile: Profile, statement_format: str) -> bytes:
    """The AAGUID for attested credential data: U2F knows none, and verifiers insist on zeroes."""
    return bytes(16) if statement_format == FIDO_U2F else profile.aaguid.bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """What is attested: a credential, its authenticator data and the hash of the client data."""

    credential: Credential
    key: SigningKey
    auth_data: bytes
    client_data_hash: bytes


def attest(
    authority: TestAuthority, profile: Profile, claim: Claim, statement_format: str, *, enterprise: bool = False
) -> dict[str, CborValue]:
    """The attestation statement in ``statement_format``; ``enterprise``: by the certificate that names this one key."""
    if statement_format == NONE:
        return {}
    signed = claim.auth_data + claim.client_data_hash
    if statement_format == PACKED and profile.attestation.kind == "self" and not enterprise:
        return {"alg": claim.credential.algorithm, "sig": claim.key.sign(signed)}
    attester = authority.enterprise if enterprise else authority.batch
    if statement_format == PACKED:
        return {"alg": ES256, "sig": attester.sign(signed), "x5c": [attester.certificate]}
    signed = u2f_registration_data(
        claim.auth_data[:32], claim.client_data_hash, claim.credential.id, claim.key.public_key()
    )
    return {"sig": attester.sign(signed), "x5c": [attester.certificate]}


def u2f_registration_data(
    application: bytes, challenge: bytes, credential_id: bytes, public_key: dict[int, CborValue]
) -> bytes:
    """What a U2F registration is signed over (FIDO U2F Raw Message Formats §4.3)."""
    return b"\0" + application + challenge + credential_id + u2f_point(public_key)


def u2f_point(public_key: dict[int, CborValue]) -> bytes:
    """An ES256 key as an uncompressed point."""
    return b"\x04" + cast("bytes", public_key[-2]) + cast("bytes", public_key[-3])
