from collections.abc import Iterator

import numpy as np
import pytest

from emulators.camera_scanner.frames import CameraFroze, CameraStopped, CameraWentBlack, Frame, Image, SourceError
from emulators.camera_scanner.sources.watched import Watched


class Film:
    """Ten frames a second of these pictures, and then an unplugged cable."""

    name = "film"

    def __init__(self, pictures: list[Image]) -> None:
        self.pictures = pictures
        self.closed = False

    def frames(self) -> Iterator[Frame]:
        """All of them."""
        for number, picture in enumerate(self.pictures):
            yield Frame(picture, number / 10, self.name)
        raise CameraStopped("film stopped")

    def close(self) -> None:
        """Remember."""
        self.closed = True


def noisy(level: int, count: int) -> list[Image]:
    """What a sensor delivers that sees one gray: never the same twice."""
    rng = np.random.default_rng(level)
    return [np.asarray(rng.integers(level, level + 4, (40, 40)), np.uint8) for _ in range(count)]


@pytest.mark.parametrize(
    ("pictures", "delivered", "condition", "sentence"),
    [
        (noisy(90, 50), 50, CameraStopped, "film stopped"),
        (
            [*noisy(90, 5), *[np.full((40, 40), 90, np.uint8)] * 50],
            15,
            CameraFroze,
            "same picture to the last bit for 1 ",
        ),
        ([*noisy(90, 5), *noisy(3, 50)], 15, CameraWentBlack, "film shows nothing but black since 1 "),
        ([np.zeros((40, 40), np.uint8)] * 50, 10, CameraWentBlack, "nothing but black"),
        ([*noisy(3, 9), *noisy(90, 2)] * 3, 33, CameraStopped, "film stopped"),
        ([*[np.full((40, 40), 90, np.uint8)] * 9, *noisy(90, 1)] * 3, 30, CameraStopped, "film stopped"),
    ],
    ids=["alive", "frozen", "covered", "black from the first", "black for a while", "still for a while"],
)
def test_a_source_ends_in_the_condition_that_it_is_in(
    pictures: list[Image], delivered: int, condition: type[SourceError], sentence: str
) -> None:
    """After the patience that was given, and not before."""
    film = Film(pictures)
    watched = Watched(film, patience=1.0)
    seen: list[Frame] = []
    with pytest.raises(condition, match=sentence):
        seen.extend(watched.frames())
    assert len(seen) == delivered
    watched.close()
    assert film.closed
