import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest

from emulators.camera_scanner.frames import Frame, SourceError, UnreadableFile
from emulators.camera_scanner.webcams.player import Player

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image


class _Source:
    """So many frames, 10 ms apart, each with its number as its shade; then perhaps an error."""

    name = "numbers"
    closed = 0

    def __init__(self, count: int, error: Exception | None = None, step: float = 0.01) -> None:
        self._step = step
        self._count = count
        self._error = error

    def frames(self) -> Iterator[Frame]:
        for number in range(self._count):
            yield Frame(np.full((2, 2), number, np.uint8), 5 + number * self._step, self.name)
        if self._error:
            raise self._error

    def close(self) -> None:
        type(self).closed += 1


@pytest.fixture(autouse=True)
def _count() -> None:
    _Source.closed = 0


def test_frames_come_in_order_no_earlier_than_their_time() -> None:
    """Then the source is closed, and the last one stays."""
    shown = list[tuple[int, float]]()
    begun = time.monotonic()
    with Player(_Source(4), lambda image: shown.append((int(image[0, 0]), time.monotonic()))) as player:
        assert player.wait(10)
    assert [number for number, _ in shown] == [0, 1, 2, 3]
    assert all(at >= begun + 0.01 * place for place, (_, at) in enumerate(shown))
    assert _Source.closed == 1


def test_closed_in_the_middle_it_shows_no_more() -> None:
    """Though the next frame is hours away."""
    source = _Source(3, step=3600)
    with Player(source, lambda _: None) as player:
        assert not player.wait(0.05)
    assert player.wait(0)
    assert _Source.closed == 1


@pytest.mark.parametrize(
    ("error", "words"), [(UnreadableFile("the file broke off"), "broke off"), (None, "numbers has no picture")]
)
def test_why_a_source_ended_is_told_to_whoever_waits(error: Exception | None, words: str) -> None:
    """By its own error; a source without a picture is one too."""
    with (
        Player(_Source(2 if error else 0, error), lambda _: None) as player,
        pytest.raises(SourceError, match=words),
    ):
        player.wait(10)
    assert _Source.closed == 1


def test_what_the_webcam_refuses_is_told_too() -> None:
    """A device that is gone ends the show."""

    def refuse(_: "Image") -> None:
        raise OSError("gone")

    with Player(_Source(5), refuse) as player, pytest.raises(OSError, match="gone"):
        player.wait(10)
