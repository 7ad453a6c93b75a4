import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.env import SeededRandom
from emulators.fido_authenticator.credentials import Credential, Sealer
from emulators.fido_authenticator.messages import UserEntity
from emulators.fido_authenticator.status import CtapError

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


def test_secrets_stay_out_of_reprs() -> None:
    """A log that shows a credential shows no key."""
    assert repr(PLAIN.private_key)[2:-1] not in repr(PLAIN)
    assert "rp_id='example.com'" in repr(PLAIN)
