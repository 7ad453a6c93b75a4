from hashlib import sha256

import msgspec
import pytest
from fido2.attestation.base import Attestation, InvalidSignature
from fido2.attestation.packed import PackedAttestation
from fido2.attestation.u2f import FidoU2FAttestation
from fido2.webauthn import AuthenticatorData

from emulators.env import SeededRandom
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.algorithms import ALGORITHMS
from emulators.fido_authenticator.attestation import (
    USER_PRESENT,
    USER_VERIFIED,
    Claim,
    attest,
    attested_aaguid,
    attested_credential_data,
    authenticator_data,
    choose_format,
)
from emulators.fido_authenticator.certificates import TestAuthority
from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.profile import Profile
from emulators.fido_authenticator.store import MemoryStore

CREDENTIAL = Credential(b"id", "example.com", -7, ALGORITHMS[-7].make(SeededRandom(1)))
KEY = ALGORITHMS[-7].load(CREDENTIAL.private_key)
AAGUID = bytes(range(16))
BATCH = profiles.load()
SELF = msgspec.structs.replace(BATCH, attestation=profiles.Attestation(kind="self"))
BOTH = msgspec.structs.replace(BATCH, attestation_formats=("packed", "fido-u2f"))


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


@pytest.mark.parametrize(
    ("profile", "statement_format", "enterprise", "members", "verifier"),
    [
        (BATCH, "packed", False, {"alg", "sig", "x5c"}, PackedAttestation()),
        (BATCH, "packed", True, {"alg", "sig", "x5c"}, PackedAttestation()),
        (SELF, "packed", False, {"alg", "sig"}, PackedAttestation()),
        (SELF, "packed", True, {"alg", "sig", "x5c"}, PackedAttestation()),
        (BATCH, "fido-u2f", False, {"sig", "x5c"}, FidoU2FAttestation()),
    ],
)
def test_python_fido2_verifies_every_statement(
    profile: Profile, statement_format: str, *, enterprise: bool, members: set[str], verifier: Attestation
) -> None:
    """Its verifier accepts the statement, and refuses it for another client data hash."""
    authority = TestAuthority(SeededRandom(2), profile, MemoryStore())
    aaguid = attested_aaguid(profile, statement_format)
    data = authenticator_data("example.com", 1, 1, attested_credential_data(aaguid, CREDENTIAL, KEY))
    claim = Claim(CREDENTIAL, KEY, data, bytes(32))
    statement = attest(authority, profile, claim, statement_format, enterprise=enterprise)
    assert set(statement) == members
    assert (authority.enterprise.certificate in statement.get("x5c", ())) is enterprise  # type: ignore[operator] # CBOR
    verifier.verify(statement, AuthenticatorData(data), bytes(32))
    with pytest.raises(InvalidSignature):
        verifier.verify(statement, AuthenticatorData(data), bytes(31) + b"x")


@pytest.mark.parametrize(
    ("preference", "algorithm", "chosen"),
    [
        ((), -7, "packed"),
        (("none",), -7, "none"),
        (("none", "fido-u2f"), -7, "fido-u2f"),
        (("tpm", "fido-u2f", "packed"), -7, "fido-u2f"),
        (("fido-u2f",), -8, "packed"),
        (("tpm",), -7, "packed"),
    ],
)
def test_the_host_has_its_preference(preference: tuple[str, ...], algorithm: int, chosen: str) -> None:
    """Alone, "none" is obeyed; else the first that the key can do, U2F for ES256 only; else the key's own choice."""
    assert choose_format(BOTH, preference, algorithm) == chosen


def test_a_key_without_formats_vouches_for_nothing() -> None:
    """The statement is empty."""
    mute = msgspec.structs.replace(BATCH, attestation_formats=())
    assert choose_format(mute, ("packed",), -7) == "none"
    authority = TestAuthority(SeededRandom(2), mute, MemoryStore())
    assert attest(authority, mute, Claim(CREDENTIAL, KEY, b"", b""), "none") == {}
