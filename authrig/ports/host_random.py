"""What the hosts of a run draw: the nonces and key pairs of python-fido2, and what a case makes up.

It comes from the system, but for hosts in front of emulated keys in a world whose clock stands: there it grows from the
run's seed, so that two runs say the same, byte for byte.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any, Final
from unittest import mock

from cryptography.hazmat.primitives.asymmetric import ec

from emulators.env import Random, SystemRandom

_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SCALAR_BYTES: Final = 48
"""Sixteen more than the order has, so that the remainder is as good as uniform (FIPS 186-5 appendix A.2.1)."""
_DRAWS_BYTES: Final = ("fido2.hid", "fido2.ctap2.pin", "fido2.ctap2.blob")
_DRAWS_KEYS: Final = ("fido2.ctap2.pin",)
_system: Final = SystemRandom()
_source: Random = _system


def random_bytes(count: int) -> bytes:
    """``count`` bytes for a host that makes something up."""
    return _source.token_bytes(count)


@contextmanager
def drawing_from(random: Random) -> Iterator[None]:
    """Within it hosts of this process draw from ``random``.

    Never with a real key: who knows the seed reads the PIN that such a host sends.
    """
    global _source  # noqa: PLW0603 - what python-fido2 draws from is one for the process, and so is this
    with ExitStack() as patched:
        for name in _DRAWS_BYTES:
            patched.enter_context(mock.patch(f"{name}.os", _Instead(os, urandom=random.token_bytes)))
        for name in _DRAWS_KEYS:
            patched.enter_context(
                mock.patch(f"{name}.ec", _Instead(ec, generate_private_key=lambda *_: _p256_key(random)))
            )
        _source = random
        try:
            yield
        finally:
            _source = _system


def _p256_key(random: Random) -> ec.EllipticCurvePrivateKey:
    """A key pair as python-fido2 makes one for each shared secret (CTAP 2.3 §6.5.6)."""
    scalar = int.from_bytes(random.token_bytes(_SCALAR_BYTES)) % (_P256_ORDER - 1) + 1
    return ec.derive_private_key(scalar, ec.SECP256R1())


class _Instead:
    """A module, but for some of its names."""

    def __init__(self, module: ModuleType, **names: Any) -> None:
        self._module = module
        self.__dict__.update(names)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)
