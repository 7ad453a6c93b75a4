from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.env import Env, SeededRandom
from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.algorithms import ALGORITHMS
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.credentials import Credential, Sealer
from emulators.fido_authenticator.messages import UserEntity
from emulators.fido_authenticator.status import CtapError
from emulators.fido_authenticator.store import dump
from tests.emulators.fido_authenticator.ctap_requests import register

PLAIN = Credential(b"", "example.com", -7, b"\x07" * 32, extensions={"credProtect": 3})
SEALED = Sealer(bytes(32)).seal(SeededRandom(1), PLAIN)


def test_a_sealed_credential_opens_for_its_relying_party_only() -> None:
    """The id alone brings back the key and what extensions keep; for anybody else it is just bytes."""
    assert Sealer(bytes(32)).open(SEALED.id, "example.com") == SEALED
    assert (SEALED.private_key, SEALED.extensions) == (PLAIN.private_key, PLAIN.extensions)
    assert PLAIN.private_key not in SEALED.id
    assert Sealer(bytes(32)).open(SEALED.id, "example.org") is None
    assert Sealer(b"\x01" * 32).open(SEALED.id, "example.com") is None


@settings(max_examples=200)
@given(st.integers(0, len(SEALED.id) * 8 - 1))
def test_every_flipped_bit_is_noticed(bit: int) -> None:
    """A changed id opens nothing."""
    changed = bytearray(SEALED.id)
    changed[bit // 8] ^= 1 << bit % 8
    assert Sealer(bytes(32)).open(bytes(changed), "example.com") is None


@given(st.binary(max_size=100))
def test_foreign_ids_open_nothing(credential_id: bytes) -> None:
    """Ids of other keys, of any length, are quietly not ours."""
    assert Sealer(bytes(32)).open(credential_id, "example.com") is None
    assert Sealer(bytes(32)).open(SEALED.id[: len(credential_id)], "example.com") is None


@pytest.mark.parametrize(
    "credential",
    [
        SEALED,
        Credential(b"id", "example.com", -7, b"k", UserEntity(b"u"), discoverable=True),
        Credential(b"id", "example.com", -7, b"k", UserEntity(b"u", "n", "d"), "RP", True, {"credBlob": b"x"}),
    ],
)
def test_credentials_survive_storage(credential: Credential) -> None:
    """Bytes and back, all members kept."""
    assert Credential.from_bytes(credential.id, credential.to_bytes()) == credential
    with pytest.raises(CtapError):
        Credential.from_bytes(credential.id, credential.to_bytes()[:-1])


EVERYTHING = {
    "credProtect": 2,
    "hmac-secret": True,
    "thirdPartyPayment": True,
    "uvm": True,
    "previewSign": {3: [-65539], 4: 5},
}


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_a_sealed_id_is_short(algorithm: int) -> None:
    """Under the 128 bytes that common keys allow, for every algorithm and with all that extensions keep."""
    authenticator = Authenticator(Env.simulated(1))
    credential_id = register(authenticator, {4: [{"alg": algorithm, "type": "public-key"}], 6: EVERYTHING})
    assert len(credential_id) <= 120
    credential = authenticator._state.find("example.com", credential_id)
    assert credential is not None
    assert set(credential.extensions) == {"credProtect", "hmac-secret", "thirdPartyPayment", "previewSign"}


def test_sealed_credentials_cost_no_memory() -> None:
    """A hundred of them leave nothing behind but the signature counter, and each still opens."""
    authenticator = Authenticator(Env.simulated(1))
    register(authenticator)
    before = dump(authenticator.store)
    ids = [register(authenticator, {6: {"credProtect": 2}}, user=bytes([number])) for number in range(100)]
    records, credentials = dump(authenticator.store)
    assert records.pop("signature_counter") == (101).to_bytes(4)
    assert before[0].pop("signature_counter") == (1).to_bytes(4)
    assert (records, credentials) == before
    assert all(authenticator._state.find("example.com", credential_id) for credential_id in ids)


def test_what_a_newer_version_keeps_is_left_alone() -> None:
    """A number that has no name in this version stands for itself, and no extension takes it for its own."""
    sealer, nonce = Sealer(bytes(32)), bytes(12)
    secret = cbor.encode([-7, b"k", {1: 2, 99: True, "future": 1}])
    sealed = sealer._aead.encrypt(nonce, secret, b"\x01" + sha256(b"example.com").digest())
    opened = sealer.open(b"\x01" + nonce + sealed, "example.com")
    assert opened is not None
    assert opened.extensions == {"credProtect": 2, "99": True, "future": 1}


def test_secrets_stay_out_of_reprs() -> None:
    """A log that shows a credential shows no key."""
    assert repr(PLAIN.private_key)[2:-1] not in repr(PLAIN)
    assert "rp_id='example.com'" in repr(PLAIN)
