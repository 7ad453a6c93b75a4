from collections.abc import Callable

import numpy as np
import pytest

from emulators.camera_scanner import looks
from emulators.camera_scanner.decoders import Read
from emulators.camera_scanner.frames import Image, ImageError
from emulators.camera_scanner.tracking import LastPlaceFirst

Draw = Callable[..., Image]


def scene(draw: Draw, **places: tuple[int, int]) -> Image:
    """A white frame with a code at each place (left, top)."""
    image = np.full((480, 640), 255, np.uint8)
    for text, (left, top) in places.items():
        code = draw(text, scale=4)
        image[top : top + code.shape[0], left : left + code.shape[1]] = code
    return image


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pixels each look of zxing-cpp was given."""
    pixels: list[int] = []
    real = looks.by_zxing

    def counted(image: Image, *, with_errors: bool = False) -> list[looks.Found]:
        pixels.append(image.size)
        return real(image, with_errors=with_errors)

    monkeypatch.setattr(looks, "by_zxing", counted)
    return pixels


def found(reads: tuple[Read, ...]) -> list[tuple[bytes, str]]:
    """What was read, at which stage."""
    return [(read.data, read.stage) for read in reads]


def test_a_code_that_stays_is_read_from_a_part_of_the_frame(draw: Draw, looked_at: list[int]) -> None:
    """Also when it moves a little, at its true place; each fifth frame is looked at as a whole."""
    read = LastPlaceFirst()
    stages = []
    for number in range(11):
        (code,) = read(scene(draw, one=(300 + 4 * number, 200)))
        stages.append(code.stage)
        assert code.corners[0] == pytest.approx((316 + 4 * number, 216), abs=1)
    # The first picture has nothing before it.
    assert stages == ["direct", *["last place"] * 3, "direct", *["last place"] * 4, "direct", "last place"]
    assert max(pixels for pixels, stage in zip(looked_at, stages, strict=True) if stage == "last place") < 640 * 480 / 4


def test_what_changes_is_looked_for_everywhere(draw: Draw) -> None:
    """Another code in the same place, the same code elsewhere, and nothing at all."""
    read = LastPlaceFirst()
    assert found(read(scene(draw, one=(50, 50)))) == [(b"one", "direct")]
    assert found(read(scene(draw, two=(50, 50)))) == [(b"two", "direct")]
    assert found(read(scene(draw, two=(450, 300)))) == [(b"two", "direct")]
    assert found(read(np.full((480, 640), 255, np.uint8))) == []
    assert found(read(scene(draw, two=(450, 300)))) == [(b"two", "direct")]


def test_a_code_beside_the_one_in_view_is_found_within_five_frames(draw: Draw) -> None:
    """However long the first one stays."""
    read = LastPlaceFirst()
    for _ in range(4):
        read(scene(draw, one=(50, 50)))
    both = scene(draw, one=(50, 50), two=(450, 300))
    seen = [{data for data, _ in found(read(both))} for _ in range(5)]
    assert {b"one", b"two"} in seen


def test_several_codes_are_followed_together(draw: Draw) -> None:
    """All of them, or the whole is looked at."""
    read = LastPlaceFirst()
    together = scene(draw, one=(200, 100), two=(320, 100))
    assert found(read(together)) == [(b"one", "direct"), (b"two", "direct")]
    assert found(read(together)) == [(b"one", "last place"), (b"two", "last place")]
    assert found(read(scene(draw, one=(200, 100)))) == [(b"one", "direct")]


def test_another_size_and_no_picture_are_no_trouble(draw: Draw) -> None:
    """The place may lie outside a smaller picture."""
    read = LastPlaceFirst()
    assert found(read(scene(draw, one=(500, 350)))) == [(b"one", "direct")]
    assert found(read(draw("one"))) == [(b"one", "direct")]
    with pytest.raises(ImageError):
        read(np.zeros((0, 0), np.uint8))
