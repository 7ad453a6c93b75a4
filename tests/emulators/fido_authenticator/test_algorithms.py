import pytest
from cryptography.exceptions import InvalidSignature
from fido2.cose import CoseKey

from emulators.env import SeededRandom
from emulators.fido_authenticator.algorithms import ALGORITHMS, RS256

ML_DSA = {-48, -49, -50}


@pytest.mark.parametrize("cose", sorted(ALGORITHMS))
def test_python_fido2_verifies_every_algorithm(cose: int) -> None:
    """The published key checks the signature, and refuses one over another message."""
    algorithm = ALGORITHMS[cose]
    key = algorithm.load(algorithm.make(SeededRandom(1)))
    public = CoseKey.parse(key.public_key())
    assert (algorithm.cose, type(public).ALGORITHM) == (cose, cose)
    signature = key.sign(b"message")
    public.verify(b"message", signature)
    with pytest.raises(InvalidSignature):
        public.verify(b"massage", signature)


@pytest.mark.parametrize("cose", sorted(ALGORITHMS))
def test_a_seed_fixes_keys_and_signatures(cose: int) -> None:
    """The same seed makes the same key and (ML-DSA apart) the same signature; another seed another key."""
    algorithm = ALGORITHMS[cose]
    one, same, other = (algorithm.make(SeededRandom(seed)) for seed in (1, 1, 2))
    assert one == same != other
    key, again = algorithm.load(one), algorithm.load(same)
    assert key.public_key() == again.public_key() != algorithm.load(other).public_key()
    assert cose in ML_DSA or key.sign(b"message") == again.sign(b"message")


@pytest.mark.parametrize("cose", sorted(ALGORITHMS))
def test_a_private_key_fits_into_a_credential_id(cose: int) -> None:
    """A sealed credential adds 40 bytes or so, and sites refuse ids of more than 255 bytes."""
    assert len(ALGORITHMS[cose].make(SeededRandom(3))) <= 66


@pytest.mark.parametrize(
    ("cose", "members"),
    [
        (-7, {1: 2, 3: -7, -1: 1, -2: 32, -3: 32}),
        (-9, {1: 2, 3: -9, -1: 1, -2: 32, -3: 32}),
        (-35, {1: 2, 3: -35, -1: 2, -2: 48, -3: 48}),
        (-51, {1: 2, 3: -51, -1: 2, -2: 48, -3: 48}),
        (-36, {1: 2, 3: -36, -1: 3, -2: 66, -3: 66}),
        (-52, {1: 2, 3: -52, -1: 3, -2: 66, -3: 66}),
        (-47, {1: 2, 3: -47, -1: 8, -2: 32, -3: 32}),
        (-8, {1: 1, 3: -8, -1: 6, -2: 32}),
        (-19, {1: 1, 3: -19, -1: 6, -2: 32}),
        (-53, {1: 1, 3: -53, -1: 7, -2: 57}),
        (-257, {1: 3, 3: -257, -1: 256, -2: 3}),
        (-48, {1: 7, 3: -48, -1: 1312}),
        (-49, {1: 7, 3: -49, -1: 1952}),
        (-50, {1: 7, 3: -50, -1: 2592}),
    ],
)
def test_public_keys_have_exactly_the_members_of_their_type(cose: int, members: dict[int, int]) -> None:
    """Key type, algorithm and curve as registered with IANA; coordinates never shorter than the curve."""
    for seed in range(1 if cose == RS256 else 8):
        public = ALGORITHMS[cose].load(ALGORITHMS[cose].make(SeededRandom(seed))).public_key()
        shape = {key: len(value) if isinstance(value, bytes) else value for key, value in public.items()}
        assert shape == members
    assert set(ALGORITHMS) == {-7, -8, -9, -19, -35, -36, -47, -48, -49, -50, -51, -52, -53, -257}


def test_es256_is_deterministic_as_rfc_6979_says() -> None:
    """RFC 6979 A.2.5, SHA-256, message "sample"."""
    key = ALGORITHMS[-7].load(bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"))
    signature = key.sign(b"sample")
    r = bytes.fromhex("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716")
    s = bytes.fromhex("F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8")
    assert r in signature
    assert signature.endswith(s)
