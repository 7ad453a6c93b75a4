import pytest
from cryptography.exceptions import InvalidSignature
from fido2.cose import CoseKey

from emulators.env import SeededRandom
from emulators.fido_authenticator.algorithms import ALGORITHMS


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
    """The same seed makes the same key and the same signature; another seed another key."""
    algorithm = ALGORITHMS[cose]
    one, same, other = (algorithm.make(SeededRandom(seed)) for seed in (1, 1, 2))
    assert one == same != other
    assert algorithm.load(one).sign(b"message") == algorithm.load(same).sign(b"message")


def test_es256_is_deterministic_as_rfc_6979_says() -> None:
    """RFC 6979 A.2.5, SHA-256, message "sample"."""
    key = ALGORITHMS[-7].load(bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"))
    signature = key.sign(b"sample")
    r = bytes.fromhex("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716")
    s = bytes.fromhex("F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8")
    assert r in signature
    assert signature.endswith(s)
