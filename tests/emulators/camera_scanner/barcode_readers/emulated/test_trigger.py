import pytest

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace, Trigger
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.env import SimulatedClock

ONE, OTHER = Code(b"one"), Code(b"other")


def read_all(trigger: Trigger, clock: SimulatedClock, seconds: float) -> list[tuple[float, bytes]]:
    """When and what is read within ``seconds``, stepping from deadline to deadline."""
    reads = []
    end = clock.monotonic() + seconds
    while True:
        code = trigger.poll()
        if code is not None:
            reads.append((round(clock.monotonic(), 3), code.data))
            continue
        due = trigger.next_deadline()
        if due is None or due > end:
            return reads
        clock.advance(max(0.0, due - clock.monotonic()))


def test_the_button_reads_once_and_only_while_it_is_held() -> None:
    """A code in view is read when the button is pressed; one that comes too late is not."""
    clock = SimulatedClock()
    trigger = Trigger(clock, Pace(TriggerMode.MANUAL, read_timeout=3))
    trigger.show(ONE)
    assert read_all(trigger, clock, 10) == []
    trigger.start(by_host=False)
    assert read_all(trigger, clock, 10) == [(0, b"one")]
    trigger.show(None)
    trigger.start(by_host=False)
    trigger.stop()
    trigger.show(ONE)
    assert trigger.poll() is None
    trigger.show(None)
    trigger.start(by_host=False)
    assert read_all(trigger, clock, 10) == []
    assert not trigger.looking
    trigger.show(ONE)
    assert trigger.poll() is None


def test_in_host_mode_the_button_is_dead() -> None:
    """Only the host's command lets it look."""
    trigger = Trigger(SimulatedClock(), Pace(TriggerMode.HOST))
    trigger.show(ONE)
    assert not trigger.start(by_host=False)
    assert trigger.poll() is None
    assert trigger.start(by_host=True)
    assert trigger.poll() == ONE


def test_continuous_reads_again_by_interval_and_by_same_code_delay() -> None:
    """The interval holds for every code, the delay for the same one."""
    clock = SimulatedClock()
    trigger = Trigger(clock, Pace(TriggerMode.CONTINUOUS, interval=1, same_code_delay=2))
    trigger.show(ONE)
    assert read_all(trigger, clock, 4) == [(0, b"one"), (2, b"one"), (4, b"one")]
    trigger.show(OTHER)
    assert read_all(trigger, clock, 1) == [(5, b"other")]


def test_presentation_reads_once_for_as_long_as_a_code_is_in_view() -> None:
    """Taken away and shown again, it is read again, but not before its delay."""
    clock = SimulatedClock()
    trigger = Trigger(clock, Pace(TriggerMode.PRESENTATION, same_code_delay=3))
    trigger.show(ONE)
    assert read_all(trigger, clock, 10) == [(0, b"one")]
    trigger.show(None)
    trigger.show(ONE)
    assert read_all(trigger, clock, 10) == [(3, b"one")]
    trigger.show(OTHER)
    assert read_all(trigger, clock, 1) == [(3, b"other")]


@pytest.mark.parametrize("mode", TriggerMode)
def test_a_disabled_reader_reads_nothing(mode: TriggerMode) -> None:
    """However it is triggered."""
    trigger = Trigger(SimulatedClock(), Pace(mode))
    trigger.enabled = False
    trigger.show(ONE)
    trigger.start(by_host=True)
    assert (trigger.poll(), trigger.looking, trigger.next_deadline()) == (None, False, None)
