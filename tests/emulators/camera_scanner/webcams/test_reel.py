from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest

from emulators.camera_scanner.frames import Frame, UnreadableFile
from emulators.camera_scanner.webcams.reel import Reel, Still


class _Clip:
    """Three frames, half a second apart, whose times begin at 7."""

    name = "clip"
    closed = 0

    def frames(self) -> Iterator[Frame]:
        for number in range(3):
            yield Frame(np.full((2, 2), number, np.uint8), 7 + number / 2, self.name)

    def close(self) -> None:
        type(self).closed += 1


def _still(shade: int) -> Still:
    return Still(np.full((2, 2), shade, np.uint8), "still")


def test_parts_come_one_after_the_other_and_again() -> None:
    """Pictures for as long as asked, clips at their own pace; time never steps back."""
    reel = Reel([lambda: _still(100), _Clip, lambda: _still(200)], hold=3)
    frames = list(islice(reel.frames(), 8))
    assert [(int(frame.image[0, 0]), frame.time) for frame in frames] == [
        (100, 0), (0, 3), (1, 3.5), (2, 4), (200, 4.5), (100, 7.5), (0, 10.5), (1, 11),
    ]  # fmt: skip
    assert _Clip.closed >= 1


def test_a_single_picture_comes_once() -> None:
    """It stays where it is shown; two pictures go round."""
    assert len(list(Reel([lambda: _still(1)]).frames())) == 1
    assert len(list(islice(Reel([lambda: _still(1), lambda: _still(2)]).frames(), 10))) == 10


def test_a_part_that_cannot_be_opened_ends_it() -> None:
    """When its turn has come, by its own error."""

    def broken() -> Still:
        raise UnreadableFile("the file is gone")

    frames = Reel([lambda: _still(1), broken]).frames()
    next(frames)
    with pytest.raises(UnreadableFile, match="gone"):
        next(frames)
