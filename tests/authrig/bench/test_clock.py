import time

import pytest
from fido2.ctap2.base import Ctap2

from authrig.bench.bench import Bench
from authrig.bench.clock import MachineClock, RigClock, StandingClock
from authrig.ports.key import Key
from authrig.rig_file.entries import EmulatedFido, Fido, RigFile
from emulators.env import SIMULATED_START, SeededRandom


def test_the_machines_clock_goes_ahead_by_what_was_let_pass() -> None:
    """Both of its times, and it goes on by itself."""
    clock = MachineClock()
    before, monotonic = clock.time(), clock.monotonic()
    clock.advance(3600)
    assert 3600 <= clock.time() - before < 3660
    assert 3600 <= clock.monotonic() - monotonic < 3660


def test_a_standing_clock_says_the_same_until_time_is_let_pass() -> None:
    """It stands at the beginning of 2026."""
    clock = StandingClock()
    assert (clock.time(), clock.time()) == (SIMULATED_START, SIMULATED_START)
    clock.advance(5)
    assert (clock.time(), clock.monotonic()) == (SIMULATED_START + 5, 5.0)


@pytest.mark.parametrize("clock", [MachineClock(), StandingClock()])
def test_time_does_not_go_back(clock: RigClock) -> None:
    """A sentence with what was found."""
    with pytest.raises(ValueError, match=r"forward only: expected seconds >= 0, found -1"):
        clock.advance(-1)


def test_a_host_that_waits_for_a_key_lets_time_pass() -> None:
    """Half a minute without a touch takes no time where time stands, and the key gives up as it should."""
    fido = Fido(emulated=EmulatedFido())
    clock, began = StandingClock(), time.monotonic()
    with Bench(RigFile(version=1, devices={"key": fido}), SeededRandom(7), lambda _: None, clock=clock) as bench:
        key: Key = bench.key("alice's")
        with key.presence.held_back(), key.open() as device, pytest.raises(Exception, match="USER_ACTION_TIMEOUT"):
            Ctap2(device).selection()
    assert clock.monotonic() > 10
    assert time.monotonic() - began < 10
