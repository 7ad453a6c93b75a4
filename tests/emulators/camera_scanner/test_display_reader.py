from collections.abc import Callable

import cv2
import numpy as np
import pytest

from benchmarks.displays import Model, code_of, models
from benchmarks.displays import photograph as photograph_device
from emulators.camera_scanner import optics
from emulators.camera_scanner.display_reader import UNKNOWN, DisplayReader, DotMatrix, Panel, SevenSegments
from emulators.camera_scanner.frames import Corners, Image, ImageError
from emulators.hwtoken.font import load_font

SEGMENTS = {"0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc"} | {
    "5": "afgcd",
    "6": "afgedc",
    "7": "abc",
    "8": "abcdefg",
    "9": "abcdfg",
}
WIDE, HIGH, GAP, EDGE, STROKE = 60, 108, 21, 40, 11


def seven_segments(code: str, ink: int, paper: int, ghost: float = 0.0, slant: float = 0.0) -> tuple[Image, Corners]:
    """A display with bevelled segments, off ones faintly visible by ``ghost``, leaning by ``slant`` pixels; its corners."""
    image = np.full((HIGH + 2 * EDGE, len(code) * (WIDE + GAP) - GAP + 2 * EDGE), paper, np.uint8)
    half, bevel = STROKE / 2, STROKE / 2 + 1
    for place, digit in enumerate(code):
        left, top = EDGE + place * (WIDE + GAP), EDGE
        x0, x1, y0, y1, y2 = left + half, left + WIDE - half, top + half, top + HIGH / 2, top + HIGH - half
        ends = {
            "a": (x0, y0, x1, y0), "b": (x1, y0, x1, y1), "c": (x1, y1, x1, y2), "d": (x0, y2, x1, y2),
            "e": (x0, y1, x0, y2), "f": (x0, y0, x0, y1), "g": (x0, y1, x1, y1),
        }  # fmt: skip
        for name, (ax, ay, bx, by) in ends.items():
            level = ink if name in SEGMENTS[digit] else round(paper + ghost * (ink - paper))
            along = np.array([bx - ax, by - ay]) / np.hypot(bx - ax, by - ay)
            side = np.array([-along[1], along[0]]) * half
            start, end = np.array([ax, ay]) + along * 2, np.array([bx, by]) - along * 2
            points = [start, start + along * bevel + side, end - along * bevel + side]
            points += [end, end - along * bevel - side, start + along * bevel - side]
            cv2.fillPoly(image, [np.round(np.array(points) * 16).astype(np.int32)], (level,), cv2.LINE_AA, shift=4)
    wide = image.shape[1]
    lean = np.array([[1, -slant / HIGH, slant * (EDGE + HIGH) / HIGH], [0, 1, 0]], np.float64)
    image = np.asarray(
        cv2.warpAffine(image, lean, (wide + round(abs(slant)), image.shape[0]), borderValue=(paper,)), np.uint8
    )
    right, bottom = wide - EDGE, EDGE + HIGH
    return image, ((EDGE + slant, EDGE), (right + slant, EDGE), (right, bottom), (EDGE, bottom))


GLYPHS = {digit: np.asarray(load_font("10x20").glyph(digit), bool) for digit in "0123456789"}


def dots(code: str, ink: int, paper: int) -> tuple[Image, Corners]:
    """The token's own large digits, six pixels a dot, with a gap between dots."""
    rows = np.hstack([GLYPHS[digit] for digit in code])
    cell = np.zeros((6, 6))
    cell[:5, :5] = 1
    lit = np.pad(np.kron(rows, cell), EDGE)
    image = np.asarray(paper + lit * (ink - paper), np.uint8)
    right, bottom = EDGE + rows.shape[1] * 6, EDGE + rows.shape[0] * 6
    return image, ((EDGE, EDGE), (right, EDGE), (right, bottom), (EDGE, bottom))


Draw = Callable[[str], tuple[Image, Corners]]
DISPLAYS: dict[str, tuple[Draw, Panel]] = {
    "lcd": (lambda code: seven_segments(code, 40, 170), SevenSegments(6)),
    "led": (lambda code: seven_segments(code, 240, 20), SevenSegments(6)),
    "slanted lcd with ghosts": (lambda code: seven_segments(code, 50, 160, 0.15, 12), SevenSegments(6)),
    "slanted led with ghosts": (lambda code: seven_segments(code, 230, 25, 0.15, 12), SevenSegments(6)),
    "dots dark": (lambda code: dots(code, 40, 170), DotMatrix(GLYPHS, 6)),
    "dots bright": (lambda code: dots(code, 240, 20), DotMatrix(GLYPHS, 6)),
}


def photograph(image: Image, corners: Corners, seed: int, *, strong: bool) -> tuple[Image, Corners]:
    """The display as a camera sees it, and its corners as a calibration found them, a pixel off here and there."""
    rng = np.random.default_rng((seed, strong))
    reach = 20 if strong else 8
    view = optics.View(*(float(angle) for angle in rng.uniform(-reach, reach, 3) * (1, 1, 0.4)))
    size = (640, 480)
    homography = optics.pose(size, (image.shape[1], image.shape[0]), view)
    seen = optics.perspective(image, homography, size)
    places = cv2.perspectiveTransform(np.array([corners], np.float64), homography)[0] + rng.uniform(-1, 1, (4, 2))
    seen = optics.lens_blur(seen, float(rng.uniform(0.8, 2.2) if strong else rng.uniform(0, 1)))
    seen = optics.exposure(seen, float(rng.uniform(0.35, 1) if strong else rng.uniform(0.7, 1)))
    seen = optics.vignette(seen, 0.4 if strong else 0.2)
    seen = optics.sensor_noise(seen, float(rng.uniform(5, 16) if strong else 4), seed)
    seen = optics.jpeg(seen, 50 if strong else 85)
    first, second, third, fourth = ((float(x), float(y)) for x, y in places)
    return seen, (first, second, third, fourth)


@pytest.mark.parametrize("strong", [False, True], ids=["mild", "strong"])
@pytest.mark.parametrize("name", DISPLAYS)
def test_codes_are_read_or_refused_and_never_wrong(name: str, *, strong: bool) -> None:
    """20 seeded photographs of each display; hundreds were measured, see the documentation."""
    draw, panel = DISPLAYS[name]
    exact = 0
    for seed in range(20):
        code = f"{np.random.default_rng(seed).integers(0, 10**6):06}"
        reading = panel.read(*photograph(*draw(code), seed, strong=strong))
        assert reading.code in (code, None), (seed, code, reading)
        exact += reading.code == code
    assert exact >= (18 if strong else 20)


@pytest.mark.parametrize("name", DISPLAYS)
def test_a_dark_a_covered_and_an_unreadable_display_are_refused(name: str) -> None:
    """Nothing is read from an even surface, from noise, or where a thumb is; the other digits are still told."""
    draw, panel = DISPLAYS[name]
    image, corners = draw("483920")
    assert panel.read(np.full_like(image, 90), corners).text == UNKNOWN * 6
    noise = np.random.default_rng(1).integers(0, 256, image.shape, dtype=np.uint8)
    assert panel.read(noise, corners).code is None
    covered = image.copy()
    covered[:, : image.shape[1] // 3] = 120
    reading = panel.read(covered, corners)
    assert reading.code is None
    assert reading.text.endswith("20")


@pytest.mark.parametrize("segment", range(7))
def test_half_a_segment_is_a_doubt_and_no_digit(segment: int) -> None:
    """A changing display shows half of two digits."""
    panel = SevenSegments(6)
    full, corners = seven_segments("888888", 40, 170)
    lit = sorted(SEGMENTS["8"])[segment]
    other = {digit for digit, names in SEGMENTS.items() if lit not in names}
    if not other:
        return
    changing = seven_segments(f"{min(other)}88888", 40, 170)[0]
    between = np.asarray((full.astype(int) + changing) // 2, np.uint8)
    assert panel.read(between, corners).text == UNKNOWN + "88888"


def test_frames_must_agree() -> None:
    """A code counts when two frames in a row show it; a doubtful one in between starts over."""
    (one, corners), (other, _) = (seven_segments(code, 40, 170) for code in ("123456", "654321"))
    reader = DisplayReader(SevenSegments(6), corners)
    dark = np.full_like(one, 90)
    assert [reader.see(image) for image in (one, other, other, dark, other, other)] == [
        None, None, "654321", None, None, "654321",
    ]  # fmt: skip


def test_what_is_no_picture_and_no_display_is_refused() -> None:
    """By a sentence."""
    with pytest.raises(ValueError, match="1 to 16 digits, found 0"):
        SevenSegments(0)
    with pytest.raises(ValueError, match="glyphs"):
        DotMatrix({}, 6)
    with pytest.raises(ImageError, match="float64"):
        SevenSegments(6).read(np.zeros((9, 9)), ((0, 0),) * 4)  # type: ignore[arg-type] # that is the point


@pytest.mark.parametrize("strong", [False, True], ids=["mild", "strong"])
@pytest.mark.parametrize("model", models(), ids=lambda model: model.name)
def test_the_displays_of_the_token_and_real_fonts_are_read(model: Model, *, strong: bool) -> None:
    """Ten of the 2,000 photographs that ``python -m benchmarks.displays`` takes of each, at a lean of up to 20 degrees."""
    exact = 0
    for seed in range(10):
        code = code_of(seed)
        reading = model.panel.read(*photograph_device(model, code, seed, strong=strong))
        assert reading.code in (code, None), (seed, code, reading)
        exact += reading.code == code
    assert exact >= (8 if strong else 9)


@pytest.mark.parametrize("places", [0.3, 0.5, 1.0])
@pytest.mark.parametrize("name", ["lcd", "slanted led with ghosts"])
def test_a_calibration_that_is_wrong_gives_no_wrong_code(name: str, places: float) -> None:
    """A display that was knocked aside by a part of a digit, or by a whole one, is doubtful to the last digit."""
    draw, panel = DISPLAYS[name]
    for seed in range(12):
        code = f"{np.random.default_rng(seed).integers(0, 10**6):06}"
        image, corners = draw(code)
        off = places * WIDE * (-1 if seed % 2 else 1)
        moved = tuple((x + off, y + (seed % 3 - 1) * 8) for x, y in corners)
        assert panel.read(image, moved).code in (code, None)  # type: ignore[arg-type] # four corners, as before
