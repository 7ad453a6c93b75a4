from hashlib import sha256

import pytest
from fido2.attestation.base import InvalidSignature
from fido2.attestation.packed import PackedAttestation
from fido2.webauthn import AuthenticatorData

from emulators.env import SeededRandom
from emulators.fido_authenticator.algorithms import ALGORITHMS
from emulators.fido_authenticator.attestation import (
    USER_PRESENT,
    USER_VERIFIED,
    attested_credential_data,
    authenticator_data,
    self_attestation,
)
from emulators.fido_authenticator.credentials import Credential

CREDENTIAL = Credential(b"id", "example.com", -7, ALGORITHMS[-7].make(SeededRandom(1)))
KEY = ALGORITHMS[-7].load(CREDENTIAL.private_key)
AAGUID = bytes(range(16))


def test_python_fido2_reads_all_parts() -> None:
    """Flags follow from what is there."""
    data = AuthenticatorData(
        authenticator_data(
            "example.com",
            USER_PRESENT | USER_VERIFIED,
            0x01020304,
            attested_credential_data(AAGUID, CREDENTIAL, KEY),
            {"credProtect": 2},
        )
    )
    assert data.rp_id_hash == sha256(b"example.com").digest()
    assert (data.flags, data.counter, data.extensions) == (0x01 | 0x04 | 0x40 | 0x80, 0x01020304, {"credProtect": 2})
    assert data.credential_data is not None
    assert (bytes(data.credential_data.aaguid), data.credential_data.credential_id) == (AAGUID, b"id")
    bare = AuthenticatorData(authenticator_data("example.com", 0, 1))
    assert (bare.flags, len(bare)) == (0, 37)


def test_python_fido2_verifies_self_attestation() -> None:
    """The packed verifier accepts it, and refuses it for another client data hash."""
    data = authenticator_data("example.com", 1, 1, attested_credential_data(AAGUID, CREDENTIAL, KEY))
    statement = self_attestation(CREDENTIAL, KEY, data + bytes(32))
    PackedAttestation().verify(statement, AuthenticatorData(data), bytes(32))
    with pytest.raises(InvalidSignature):
        PackedAttestation().verify(statement, AuthenticatorData(data), bytes(31) + b"x")
