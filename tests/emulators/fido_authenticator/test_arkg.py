import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ARKG_P256_PLACEHOLDER
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.fido_authenticator.arkg import ORDER, PrivateSeed

# Appendix "Test vectors" of draft-bradleylundberg-cfrg-arkg: one seed, two key handles, two contexts.
SEED = PrivateSeed(
    blinding=0xD959500A78CCF850CE46C80A8C5043C9A2E33844232B3829DF37D05B3069F455,
    encapsulation=0x74E0A4CD81CA2D24246FF75BFD6D4FB7F9DFC938372627FEB2C2348F8B1493B5,
)
VECTORS = [
    (b"ARKG-P256.test vectors", 0x40, 0x775D7FE9A6DFBA43CE671CB38AFCA3D272C4D14AFF97BD67559EB500A092E5E7),
    (b"ARKG-P256.test vectors", 0xA0, 0x6228E470290E9D7CC0FEFF32A74CAAFA14C608C956337EBA23997F5904CFF226),
    (b"ARKG-P256.test vectors.0", 0x40, 0x2A97F4232F9ABBA32FBFC28C6686F8AFD2D851C2A95A3ED2F0A384B9AD55068D),
]


def _point(scalar: int, algorithm: int) -> dict[int, object]:
    numbers = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
    return {1: 2, 3: algorithm, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}


PUBLIC_SEED = ARKG_P256_PLACEHOLDER(
    {1: -65537, 3: -65700, -1: _point(SEED.blinding, -9), -2: _point(SEED.encapsulation, -25), -3: -9}
)


def _derive(ikm: bytes, context: bytes) -> tuple[dict[int, bytes], bytes]:
    """A public key and its key handle, derived by python-fido2."""
    public_key, args = PUBLIC_SEED.derive_public_key(ikm, context)
    return public_key, args[-1]


@pytest.mark.parametrize(("context", "first", "private_key"), VECTORS)
def test_the_drafts_vectors(context: bytes, first: int, private_key: int) -> None:
    """The private keys are those of the draft, for key handles that python-fido2 makes from the draft's entropy."""
    _, key_handle = _derive(bytes(range(first, first + 32)), context)
    assert SEED.derive(key_handle, context) == private_key


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=64), st.binary(min_size=32, max_size=32))
def test_both_halves_meet(context: bytes, ikm: bytes) -> None:
    """The derived private key is that of the derived public key, for every context and entropy."""
    public_key, key_handle = _derive(ikm, context)
    derived = _point(SEED.derive(key_handle, context), -9)
    assert (derived[-2], derived[-3]) == (public_key[-2], public_key[-3])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 81 * 8 - 1))
def test_every_flipped_bit_of_a_key_handle_is_noticed(bit: int) -> None:
    """Also one that makes the point no point."""
    _, key_handle = _derive(bytes(32), b"context")
    changed = bytearray(key_handle)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ValueError, match="expected a key handle"):
        SEED.derive(bytes(changed), b"context")


def test_a_key_handle_belongs_to_one_context_and_one_seed() -> None:
    """And to a context that is not too long; anything shorter is no handle."""
    _, key_handle = _derive(os.urandom(32), b"context")
    with pytest.raises(ValueError, match="for this seed and context"):
        SEED.derive(key_handle, b"other")
    with pytest.raises(ValueError, match="for this seed and context"):
        PrivateSeed(SEED.blinding, ORDER - 1).derive(key_handle, b"context")
    with pytest.raises(ValueError, match="at most 64 bytes, found 65"):
        SEED.derive(key_handle, bytes(65))
    for length in (0, 15, 16, 17, 80):
        with pytest.raises(ValueError, match="expected a key handle"):
            SEED.derive(key_handle[:length], b"context")


def test_a_seed_shows_no_secret() -> None:
    """A log that shows it shows nothing."""
    assert repr(SEED) == "PrivateSeed()"
