import math

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from emulators.env import SeededRandom
from emulators.fido_authenticator import rsa


def _validated(private_key: bytes) -> RSAPrivateKey:
    return rsa.load(private_key).private_numbers().private_key()


def test_openssl_finds_nothing_wrong_with_the_keys() -> None:
    """Its own tests of both primes and of every number derived from them pass, and the size is exact."""
    for seed in range(4):
        key = _validated(rsa.Search.begin(SeededRandom(seed)).finish())
        numbers = key.private_numbers()
        assert (key.key_size, numbers.public_numbers.e) == (2048, 65537)
        # FIPS 186-5 A.1.3: the primes differ in their upper 100 bits, or factoring would be easy.
        assert abs(numbers.p - numbers.q) > 1 << (1024 - 100)
        assert math.gcd(65537, (numbers.p - 1) * (numbers.q - 1)) == 1


def test_a_key_found_step_by_step_is_the_same() -> None:
    """Work done ahead changes when a key is ready, not which key it is."""
    patient, hasty = (rsa.Search(b"s" * rsa.SEED_BYTES) for _ in range(2))
    steps = 0
    while patient.step():
        steps += 1
    assert steps > 10
    assert not patient.step()
    found = patient.finish()
    assert found == hasty.finish() == patient.finish()
    assert len(found) == 36
