import pytest

from emulators.env import Env, SeededRandom, SimulatedClock


def test_the_same_seed_gives_the_same_bytes_however_they_are_drawn() -> None:
    """Two devices under one seed are twins."""
    one, other = SeededRandom(7), SeededRandom(7)
    assert one.token_bytes(3) + one.token_bytes(61) == other.token_bytes(64)
    assert SeededRandom(8).token_bytes(64) != SeededRandom(7).token_bytes(64)


def test_forked_streams_do_not_shift_each_other() -> None:
    """What one device draws changes nothing for its neighbour."""
    root, busy_root = SeededRandom(7), SeededRandom(7)
    busy_root.fork("key").token_bytes(1000)
    busy_root.token_bytes(5)
    assert root.fork("token").token_bytes(16) == busy_root.fork("token").token_bytes(16)
    assert root.fork("token").token_bytes(16) != root.fork("key").token_bytes(16)


def test_a_simulated_clock_stands_still_until_moved() -> None:
    """Both hands move together; only the wall clock can be set."""
    clock = SimulatedClock(100.0)
    clock.advance(10)
    clock.set_time(4_294_967_296.0)
    assert (clock.time(), clock.monotonic()) == (4_294_967_296.0, 10.0)
    with pytest.raises(ValueError, match="found -1"):
        clock.advance(-1)
    assert clock.monotonic() == 10.0


def test_only_simulated_worlds_are_marked_test_only() -> None:
    """A secret's maker can be asked whether it was predictable."""
    assert Env.simulated(1).test_only
    assert not Env.real().test_only
    assert Env.real().random.token_bytes(16) != Env.real().random.token_bytes(16)
