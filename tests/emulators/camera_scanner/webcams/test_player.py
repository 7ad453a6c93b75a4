import threading
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
    opened = 0
    closed = 0

    def __init__(self, count: int, error: Exception | None = None) -> None:
        type(self).opened += 1
        self._count = count
        self._error = error

    def frames(self) -> Iterator[Frame]:
        for number in range(self._count):
            yield Frame(np.full((2, 2), number, np.uint8), 5 + number / 100, self.name)
        if self._error:
            raise self._error

    def close(self) -> None:
        type(self).closed += 1


@pytest.fixture(autouse=True)
def _count() -> None:
    _Source.opened = _Source.closed = 0


def test_frames_come_in_order_no_earlier_than_their_time_and_again_from_the_beginning() -> None:
    """Two rounds and a half, each from a source of its own that is closed after it."""
    shown = list[tuple[int, float]]()
    enough = threading.Event()

    def show(image: "Image") -> None:
        shown.append((int(image[0, 0]), time.monotonic()))
        if len(shown) == 10:
            enough.set()

    begun = time.monotonic()
    with Player(lambda: _Source(4), show) as player:
        assert enough.wait(10)
        assert not player.wait(0)
    assert [number for number, _ in shown[:10]] == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    assert all(at >= begun + 0.01 * place for place, (_, at) in enumerate(shown[:4]))
    assert shown[9][1] >= begun + 0.09
    assert _Source.opened == _Source.closed == 3
    assert player.wait(0)


def test_a_single_picture_is_shown_once_and_stays() -> None:
    """There is nothing to repeat."""
    shown = list[int]()
    with Player(lambda: _Source(1), lambda image: shown.append(int(image[0, 0]))) as player:
        assert player.wait(10)
    assert shown == [0]


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        (_Source, UnreadableFile("the file broke off"), "broke off"),
        (_Source, None, "numbers has no picture"),
    ],
)
def test_why_a_source_ended_is_told_to_whoever_waits(
    source: type[_Source], error: Exception | None, words: str
) -> None:
    """By its own error; a source without a picture is one too."""
    with (
        Player(lambda: source(2 if error else 0, error), lambda _: None) as player,
        pytest.raises(SourceError, match=words),
    ):
        player.wait(10)
    assert _Source.closed == 1


def test_what_the_webcam_refuses_is_told_too() -> None:
    """A device that is gone ends the show."""

    def refuse(_: "Image") -> None:
        raise OSError("gone")

    with Player(lambda: _Source(5), refuse) as player, pytest.raises(OSError, match="gone"):
        player.wait(10)
