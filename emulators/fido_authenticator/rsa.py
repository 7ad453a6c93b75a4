"""RSA-2048 keys from 32 random bytes: a search for two primes that can be done ahead, one small step at a time.

The library's own key generation takes no seed, so it would make other keys in every run. A key is kept as its seed and
how far behind it the two primes were found: 36 bytes, which fit into a credential id, and load at once.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from itertools import compress

from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.env import Random

SEED_BYTES = 32
PUBLIC_EXPONENT = 65537

_PRIME_BYTES = 128
_OFFSET_BYTES = 2
_WINDOW = 1 << 13
"""Odd numbers that are looked at behind a starting point. There is no prime among them once in 10^10 searches."""
_SIEVED_BELOW = 20_000
"""Candidates with a divisor below this are dropped before the costly test; measured best between 10,000 and 60,000."""
_BASES = (2, 3, 5, 7)
_TOP_BITS = 0b11 << (8 * _PRIME_BYTES - 2)  # so that the product of two has all of its 2048 bits


class Search:
    """The search for the key that ``seed`` makes."""

    def __init__(self, seed: bytes) -> None:
        self._steps: Iterator[bytes | None] = _search(seed)
        self._found: bytes | None = None

    @classmethod
    def begin(cls, random: Random) -> "Search":
        """The search for a new key."""
        return cls(random.token_bytes(SEED_BYTES))

    @property
    def found(self) -> bool:
        """Whether ``finish`` returns at once."""
        return self._found is not None

    def step(self) -> bool:
        """Test one candidate, a few milliseconds of work; False once the key is found."""
        if self._found is None:
            self._found = next(self._steps)
        if self._found is not None:
            self._steps = iter(())  # the sieve's memory is no longer needed
        return self._found is None

    def finish(self) -> bytes:
        """The private key, for ``load``: after all the work that is left, a quarter of a second on average."""
        while self.step():
            pass
        assert self._found is not None
        return self._found


def load(private_key: bytes) -> rsa.RSAPrivateKey:
    """The key that a search has found."""
    seed, offsets = private_key[:SEED_BYTES], private_key[SEED_BYTES:]
    p = _start(b"p", seed) + 2 * int.from_bytes(offsets[:_OFFSET_BYTES])
    q = _start(b"q", seed) + 2 * int.from_bytes(offsets[_OFFSET_BYTES:])
    d = rsa.rsa_recover_private_exponent(PUBLIC_EXPONENT, p, q)
    numbers = rsa.RSAPrivateNumbers(
        p,
        q,
        d,
        rsa.rsa_crt_dmp1(d, p),
        rsa.rsa_crt_dmq1(d, q),
        rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(PUBLIC_EXPONENT, p * q),
    )
    # Validation would repeat the tests of both primes at each load, 40 ms.
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _search(seed: bytes) -> Iterator[bytes | None]:
    """None after each candidate that is no prime, then the key."""
    while True:
        offsets: list[int] = []
        for name in (b"p", b"q"):
            for offset, prime in _candidates(_start(name, seed)):
                if prime:
                    offsets.append(offset)
                    break
                yield None
        if len(offsets) == 2:
            yield seed + b"".join(offset.to_bytes(_OFFSET_BYTES) for offset in offsets)
            return
        seed = hashlib.sha256(seed).digest()


def _start(name: bytes, seed: bytes) -> int:
    """An odd number of ``_PRIME_BYTES`` bytes."""
    return int.from_bytes(hashlib.shake_256(name + seed).digest(_PRIME_BYTES)) | _TOP_BITS | 1


def _candidates(start: int) -> Iterator[tuple[int, bool]]:
    """The numbers ``start + 2 * offset`` without small divisors: offset, and whether it will do as a prime."""
    window = bytearray(b"\1") * _WINDOW
    for divisor in _small_primes():
        # 2 * first == -start (mod divisor), and (divisor + 1) / 2 is the inverse of 2.
        first = -start * ((divisor + 1) // 2) % divisor
        window[first::divisor] = bytes(len(range(first, _WINDOW, divisor)))
    for offset in compress(range(_WINDOW), window):
        candidate = start + 2 * offset
        yield offset, _is_prime(candidate) and (candidate - 1) % PUBLIC_EXPONENT != 0


def _is_prime(number: int) -> bool:
    """Miller-Rabin. For random numbers of this size the first base alone errs less than once in 2^100."""
    odd = number - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    for base in _BASES:
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


@cache
def _small_primes() -> tuple[int, ...]:
    """The odd primes below ``_SIEVED_BELOW``."""
    sieve = bytearray(b"\1") * _SIEVED_BELOW
    for number in range(3, int(_SIEVED_BELOW**0.5) + 1, 2):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, _SIEVED_BELOW, number)))
    return tuple(number for number in range(3, _SIEVED_BELOW, 2) if sieve[number])
