import itertools
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from emulators.camera_scanner import optics
from emulators.camera_scanner.frames import Image

EFFECTS: dict[str, Callable[[Image, float], Image]] = {
    "glare": lambda image, strength: optics.glare(image, strength, 7),
    "motion_blur": lambda image, strength: optics.motion_blur(image, 6 * strength, 7),
    "lens_blur": lambda image, strength: optics.lens_blur(image, 2 * strength),
    "vignette": optics.vignette,
    "exposure": lambda image, strength: optics.exposure(image, 1 - strength / 2, 1 - strength / 2),
    "sensor_noise": lambda image, strength: optics.sensor_noise(image, 12 * strength, 7),
    "moire": lambda image, strength: optics.moire(image, strength, 7),
    "occlusion": lambda image, strength: optics.occlusion(image, strength / 5, 7),
    "flicker": lambda image, strength: optics.flicker(image, strength, 7),
    "rolling_shutter": lambda image, strength: optics.rolling_shutter(image, 9 * strength),
    "jpeg": lambda image, strength: optics.jpeg(image, round(30 * strength)),
}


def scenery(*, colour: bool) -> Image:
    """A picture with edges and flat parts, neither black nor white."""
    gray = np.kron(np.indices((12, 16)).sum(axis=0) % 2, np.ones((10, 10))) * 100 + 60
    return np.asarray(cv2.merge([gray.astype(np.uint8)] * 3) if colour else gray, np.uint8)


@pytest.mark.parametrize("colour", [False, True], ids=["gray", "colour"])
@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_is_a_pure_function_of_picture_strength_and_seed(name: str, *, colour: bool) -> None:
    """Nothing at strength 0, something at 1, the same each time, and the picture passed in stays as it was."""
    image = scenery(colour=colour)
    before, effect = image.copy(), EFFECTS[name]
    assert np.array_equal(effect(image, 0.0), image)
    changed = effect(image, 1.0)
    assert changed.shape == image.shape
    assert changed.dtype == np.uint8
    assert not np.array_equal(changed, image)
    assert np.array_equal(effect(image, 1.0), changed)
    assert np.array_equal(image, before)


@pytest.mark.parametrize(
    "effect", [optics.glare, optics.motion_blur, optics.sensor_noise, optics.moire, optics.flicker]
)
def test_another_seed_is_another_picture(effect: Callable[[Image, float, int], Image]) -> None:
    """Effects with chance in them draw it from the seed alone."""
    image = scenery(colour=False)
    assert not np.array_equal(effect(image, 4.0, 1), effect(image, 4.0, 2))


def test_noise_has_the_strength_that_was_asked_for() -> None:
    """Ten gray levels are ten gray levels."""
    noisy = optics.sensor_noise(np.full((480, 640), 128, np.uint8), 10.0, 3)
    assert noisy.std() == pytest.approx(10.0, abs=0.3)
    assert noisy.mean() == pytest.approx(128.0, abs=0.3)


def test_blur_spreads_an_edge_by_its_sigma() -> None:
    """A step becomes the integral of a Gaussian: 68 percent of it lies within one sigma."""
    step = np.zeros((64, 64), np.uint8)
    step[:, 32:] = 250
    blurred = optics.lens_blur(step, 3.0).astype(float)
    within = (
        blurred[32, 34]
        + (blurred[32, 35] - blurred[32, 34]) / 2
        - blurred[32, 29]
        + (blurred[32, 29] - blurred[32, 28]) / 2
    )
    assert within / 250 == pytest.approx(0.68, abs=0.03)


def test_motion_smears_a_point_over_its_length() -> None:
    """All the light of the point lies on a line of the given length."""
    point = np.zeros((41, 41), np.uint8)
    point[20, 20] = 250
    smear = optics.motion_blur(point, 10.0, 5).astype(float)
    y, x = np.nonzero(smear)
    length = np.hypot(x.max() - x.min(), y.max() - y.min())
    assert 8.5 <= length <= 12.5
    assert smear.sum() == pytest.approx(250, rel=0.15)


def test_exposure_scales_light_and_contrast_pulls_to_the_middle() -> None:
    """Half the light halves each level; no contrast leaves one gray."""
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert optics.exposure(levels, 0.5)[-1, -1] == 128
    assert optics.exposure(levels, 3.0).max() == 255
    assert np.unique(optics.exposure(levels, 1.0, 0.0)).tolist() == [128]


def test_the_vignette_leaves_the_middle_and_darkens_the_corners() -> None:
    """At full strength a corner is black."""
    shaded = optics.vignette(np.full((101, 101), 200, np.uint8), 1.0)
    assert shaded[50, 50] == 200
    assert shaded[0, 0] == 0


def test_facing_squarely_nothing_moves() -> None:
    """The default view is the identity, pixel for pixel."""
    image = scenery(colour=True)
    size = (image.shape[1], image.shape[0])
    assert np.array_equal(optics.perspective(image, optics.pose(size, size, optics.View()), size), image)


def test_a_leaning_plane_is_narrower_at_its_far_end() -> None:
    """Tilt narrows the top, pan the right side; zoom and shift do what they say; roll turns clockwise."""

    def seen(view: optics.View) -> np.ndarray:
        corners = np.array([[(0, 0), (100, 0), (100, 100), (0, 100)]], np.float64)
        return np.asarray(cv2.perspectiveTransform(corners, optics.pose((640, 480), (100, 100), view))[0])

    tilted, panned = seen(optics.View(tilt=30)), seen(optics.View(pan=30))
    assert np.ptp(tilted[:2, 0]) < 100 < np.ptp(tilted[2:, 0])
    assert np.ptp(panned[1:3, 1]) < 100 < np.ptp(panned[[0, 3], 1])
    assert seen(optics.View(zoom=2, across=10, down=-5)) == pytest.approx(
        np.array([(230, 135), (430, 135), (430, 335), (230, 335)])
    )
    assert seen(optics.View(roll=90))[0] == pytest.approx([370, 190])


def test_a_thumb_covers_about_the_share_that_was_asked_for() -> None:
    """And more when more is asked for."""
    image = np.zeros((480, 640, 3), np.uint8)
    shares = [float((optics.occlusion(image, share, 3).max(axis=2) > 0).mean()) for share in (0.02, 0.1, 0.3)]
    assert shares == sorted(shares)
    assert 0.02 < shares[0] < shares[2] < 0.5


def test_a_rolling_shutter_leans_what_stands() -> None:
    """The last row stands as far beside the first as was asked for; the middle stays."""
    post = np.zeros((100, 100), np.uint8)
    post[:, 50] = 255
    leaning = optics.rolling_shutter(post, 20).argmax(axis=1)
    assert (leaning[99] - leaning[0], leaning[50]) == (pytest.approx(20, abs=1), pytest.approx(50, abs=1))


def test_flicker_darkens_rows_and_no_columns() -> None:
    """Each row as a whole."""
    bands = optics.flicker(np.full((120, 160), 200, np.uint8), 0.8, 5)
    assert np.ptp(bands, axis=1).max() == 0
    assert np.ptp(bands[:, 0]) > 100


def test_a_mirror_changes_left_and_right() -> None:
    """Twice is once too often to be noticed."""
    image = scenery(colour=True)
    image[:, :10] = 0
    assert not optics.mirrored(image)[:, -10:].any()
    assert np.array_equal(optics.mirrored(optics.mirrored(image)), image)


def test_exposure_drifts_slowly_and_within_its_bounds() -> None:
    """Between half and double, and hardly at all from one frame to the next; none at strength 0."""
    course = [optics.exposure_drift(1, number / 30, 4) for number in range(900)]
    assert 0.5 <= min(course) < 0.7
    assert 1.5 < max(course) <= 2
    assert max(abs(b / a - 1) for a, b in itertools.pairwise(course)) < 0.05
    assert optics.exposure_drift(0, 3, 4) == 1
