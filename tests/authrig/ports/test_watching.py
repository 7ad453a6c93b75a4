import itertools
from collections.abc import Iterator

import numpy as np

from authrig.ports.watching import for_seconds
from emulators.camera_scanner.frames import Frame


def _frames(apart: float) -> Iterator[Frame]:
    for number in itertools.count():
        yield Frame(np.zeros((2, 2), np.uint8), 100 + number * apart, "a camera")


def test_a_camera_is_looked_through_for_seconds_of_its_own_time() -> None:
    """Whatever its rate, and however long it takes to look at a frame."""
    assert len(list(for_seconds(_frames(1 / 30), 2.0, 6))) == 61
    assert len(list(for_seconds(_frames(0.5), 2.0, 2))) == 5


def test_a_slow_camera_gets_its_looks() -> None:
    """One that delivers a frame each three seconds shows something too."""
    assert len(list(for_seconds(_frames(3.0), 2.0, 6))) == 6


def test_a_camera_that_ends_is_no_endless_wait() -> None:
    """What there was is what there is."""
    assert len(list(for_seconds(itertools.islice(_frames(0.1), 3), 2.0, 6))) == 3
    assert list(for_seconds(iter(()), 2.0, 6)) == []
