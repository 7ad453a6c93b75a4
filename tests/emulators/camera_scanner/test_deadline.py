import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import zxingcpp

from emulators.camera_scanner import deadline
from emulators.camera_scanner.deadline import within
from emulators.camera_scanner.decoders import read_codes

LATER = 60.0
"""Seconds within which even a busy machine is done."""


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What late calls wait for; open at the end, and then none of them is left."""
    event = threading.Event()
    yield event
    event.set()
    for thread in list(deadline._strays):
        thread.join(LATER)
        assert not thread.is_alive()


def test_what_is_in_time_is_handed_over() -> None:
    """A result, and an error as if it had been raised here."""
    assert within(lambda: 42, LATER) == 42

    def fail() -> None:
        raise ValueError("no picture")

    with pytest.raises(ValueError, match="no picture"):
        within(fail, LATER)


def test_nobody_waits_for_what_is_late(gate: threading.Event) -> None:
    """The call is still running when the answer is there."""
    assert within(gate.wait, 0.01) is None
    assert len(deadline._strays) == 1
    assert deadline._strays[0].is_alive()


def test_late_calls_do_not_pile_up(gate: threading.Event) -> None:
    """Two may be late; a third is not begun before one of them has ended, and then it is."""
    begun = []
    assert [within(gate.wait, 0.01) for _ in range(2)] == [None, None]
    assert within(lambda: begun.append(1), 0.01) is None
    assert not begun
    gate.set()
    within(lambda: begun.append(2), LATER)
    assert begun == [2]


@pytest.mark.parametrize("side", [100, 2000])
def test_a_reader_that_hangs_holds_up_no_frame(
    side: int, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the first look at a large picture, or in a later one at a small one."""
    looks = []

    def hang(image: np.ndarray, **_: object) -> list[object]:
        looks.append(image.shape)
        if side > 1000 or len(looks) > 1:
            gate.wait()
        return []

    monkeypatch.setattr(zxingcpp, "read_barcodes", hang)
    assert read_codes(np.zeros((side, side), np.uint8), deadline_ms=1500) == ()
    assert len(looks) == (1 if side > 1000 else 2)
    assert not gate.is_set()


SLOW = """
import numpy as np
from emulators.camera_scanner.decoders import read_codes
finder = np.full((9, 9), 255, np.uint8)
finder[1:8, 1:8], finder[2:7, 2:7], finder[3:6, 3:6] = 0, 255, 0
print(read_codes(np.tile(finder, (90, 160)), deadline_ms=20))
"""


def test_a_program_ends_while_a_late_call_runs() -> None:
    """A picture made of tiny finder patterns takes much longer than 20 ms, and exit code and output are those of others."""
    done = subprocess.run([sys.executable, "-c", SLOW], capture_output=True, text=True, timeout=LATER, check=False)
    assert (done.returncode, done.stdout) == (0, "()\n"), done.stderr
