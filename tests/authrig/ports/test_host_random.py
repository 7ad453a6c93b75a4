import os
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import hid
from fido2.cose import ES256
from fido2.ctap2 import pin
from fido2.ctap2.pin import PinProtocolV2

from authrig.bench.bench import Bench
from authrig.bench.clock import MachineClock, RigClock, StandingClock
from authrig.ports.host_random import drawing_from, random_bytes
from authrig.rig_file.entries import AttachedFido, EmulatedFido, Fido, RigFile, UsbMatch
from emulators.env import SeededRandom

PEER = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())  # type: ignore[no-untyped-call]  # python-fido2 has few types
EMULATED = {"key": Fido(emulated=EmulatedFido())}
REAL = {**EMULATED, "real": Fido(attached=AttachedFido(match=UsbMatch(serial="1234")))}


def _os_of(module: ModuleType) -> Any:
    return vars(module)["os"]


def _said(seed: int) -> tuple[object, ...]:
    with drawing_from(SeededRandom(seed)):
        agreement, secret = PinProtocolV2().encapsulate(PEER)  # type: ignore[no-untyped-call]  # as above
        hidden = PinProtocolV2().encrypt(secret, bytes(16))  # type: ignore[no-untyped-call]  # as above
        return agreement, secret, hidden, _os_of(hid).urandom(8), random_bytes(8)


def test_hosts_draw_what_the_seed_says() -> None:
    """Key pairs of shared secrets, vectors of ciphers, nonces, and what cases make up."""
    assert _said(7) == _said(7)
    assert not set(map(repr, _said(7))) & set(map(repr, _said(8)))


def test_afterwards_they_draw_from_the_system() -> None:
    """Also after a failure; and nothing else of the process ever drew from the seed."""
    with suppress(RuntimeError), drawing_from(SeededRandom(7)):
        assert os.urandom(8) != SeededRandom(7).token_bytes(8)
        assert Path(_os_of(hid).getcwd()) == Path.cwd()
        raise RuntimeError
    assert _os_of(hid) is os
    assert vars(pin)["ec"] is ec
    assert random_bytes(16) != random_bytes(16)


@pytest.mark.parametrize(
    ("clock", "devices", "mode", "seeded"),
    [
        (StandingClock(), EMULATED, "prefer-attached", True),
        (StandingClock(), REAL, "emulated", True),
        (StandingClock(), REAL, "prefer-attached", False),
        (MachineClock(), EMULATED, "emulated", False),
    ],
)
def test_a_real_key_never_hears_what_can_be_foretold(
    clock: RigClock, devices: dict[str, Fido], mode: str, *, seeded: bool
) -> None:
    """Hosts are seeded only where time stands and every key that could be lent is emulated; and only while keys are lent."""
    rig_file = RigFile(version=1, devices=devices)  # type: ignore[arg-type]  # some of the kinds that it takes
    with Bench(rig_file, SeededRandom(7), lambda _: None, mode, clock=clock) as bench:  # type: ignore[arg-type]  # a mode
        for _ in range(2):
            bench.key("alice's", "authrig-2.3")
            bench.key("bob's", "authrig-2.3")
            assert (_os_of(hid) is not os) is seeded
            bench.take_back()
            assert _os_of(hid) is os
