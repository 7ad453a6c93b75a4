from emulators.env import SimulatedClock
from emulators.fido_authenticator.transports.pace import Pace


def _taken(pace: Pace) -> int:
    """How many go right now."""
    count = 0
    while pace.take():
        count += 1
    return count


def test_a_burst_passes_and_then_one_a_millisecond() -> None:
    """Never more than a burst is saved up."""
    clock = SimulatedClock()
    pace = Pace(burst=4, interval=0.001, clock=clock)
    assert _taken(pace) == 4
    clock.advance(0.0021)
    assert _taken(pace) == 2
    clock.advance(60)
    assert _taken(pace) == 4


def test_it_says_how_long_to_wait() -> None:
    """After that long one goes, and not before."""
    clock = SimulatedClock()
    pace = Pace(burst=1, interval=0.5, clock=clock)
    assert pace.take()
    assert not pace.take()
    assert pace.wait() == 0.5
    clock.advance(0.25)
    assert not pace.take()
    assert pace.wait() == 0.25
    clock.advance(0.25)
    assert pace.take()


def test_who_has_read_may_be_sent_another_burst() -> None:
    """At once, and no more than one burst."""
    pace = Pace(burst=4, clock=SimulatedClock())
    assert _taken(pace) == 4
    pace.refill()
    pace.refill()
    assert _taken(pace) == 4


def test_a_slow_beat_costs_one_of_the_burst() -> None:
    """Keepalives, one each tenth of a second and nobody answers them: the long answer after them may still burst."""
    clock = SimulatedClock()
    pace = Pace(burst=4, clock=clock)
    for _ in range(20):
        assert pace.take()
        clock.advance(0.1)
    assert 3 <= _taken(pace) <= 4


def test_a_pause_after_one_report_saves_up_no_second_burst() -> None:
    """The kernel has room for two bursts, and a second host's reports are in there too."""
    clock = SimulatedClock()
    pace = Pace(burst=4, clock=clock)
    pace.refill()
    assert pace.take()
    clock.advance(60)
    assert 3 <= _taken(pace) <= 4
