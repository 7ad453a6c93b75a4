from collections import deque
from collections.abc import Iterator
from itertools import islice

import numpy as np

from authrig.bench.cameras import BUFFERS, FreshFrames
from emulators.camera_scanner.frames import Frame


class Driver:
    """A camera as Linux has it: frames that nobody takes wait in its buffers, and those that find none are lost."""

    name = "a webcam"

    def __init__(self) -> None:
        self.before = 0
        self._buffers: deque[int] = deque()

    def frames(self) -> Iterator[Frame]:
        """The oldest that is kept, each time."""
        while True:
            seen = self._buffers.popleft() if self._buffers else self.before
            yield Frame(np.full((2, 2), seen, np.uint8), 0.0, self.name)
            while len(self._buffers) < BUFFERS:
                self._buffers.append(self.before)

    def close(self) -> None:
        """It stays."""


def test_whoever_looks_again_sees_what_is_there_now() -> None:
    """And nothing of what was there when the camera was last looked through."""
    driver = Driver()
    camera = FreshFrames(driver)
    driver.before = 1
    assert [int(frame.image[0, 0]) for frame in islice(camera.frames(), 3)] == [1, 1, 1]
    driver.before = 2
    assert [int(frame.image[0, 0]) for frame in islice(camera.frames(), 3)] == [2, 2, 2]
