import threading

from emulators.env import SimulatedClock, SystemClock
from emulators.fido_authenticator.transports.waiting import Waiting


def test_a_simulated_wait_moves_the_clock_and_takes_no_time() -> None:
    """A deadline in the past moves nothing."""
    clock = SimulatedClock()
    waiting = Waiting(clock)
    with waiting:
        waiting.until(3600.0)
        waiting.until(1.0)
    assert clock.monotonic() == 3600.0


def test_a_real_wait_ends_at_its_deadline() -> None:
    """Not before, unless woken."""
    clock = SystemClock()
    waiting = Waiting(clock)
    deadline = clock.monotonic() + 0.02
    with waiting:
        while clock.monotonic() < deadline:
            waiting.until(deadline)
    assert clock.monotonic() >= deadline


def test_a_wait_without_end_is_ended_by_another_thread() -> None:
    """The condition is looked at again after each wake-up."""
    waiting = Waiting(SystemClock())
    woken: list[bool] = []

    def wake() -> None:
        with waiting:
            woken.append(True)
        waiting.wake()

    with waiting:
        thread = threading.Thread(target=wake)
        thread.start()
        while not woken:
            waiting.until(None)
    thread.join()
    assert woken == [True]
