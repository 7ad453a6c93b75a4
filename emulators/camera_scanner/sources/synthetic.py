"""A camera that is not there: it draws the scene, and sees it as a preset's lens, light, hand and sensor would."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from emulators.camera_scanner import optics
from emulators.camera_scanner.frames import Frame, NothingToSee, require_image
from emulators.camera_scanner.preset import load_preset
from emulators.camera_scanner.scene import draw_scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from emulators.camera_scanner.frames import Image
    from emulators.env import Random

_STEADINESS = 0.85
"""How much of a hand's place one frame hands on to the next: tremor wanders, it does not jump."""


class SyntheticCamera:
    """A camera in front of which pictures of codes are held; under one seed every frame is the same to the byte.

    Args:
        random: where poses, smears and noise come from; give each camera a stream of its own (``SeededRandom.fork``).
        preset: the name of a preset, see ``preset_names``.
        size: width and height of the frames, in pixels.
    """

    def __init__(self, random: Random, preset: str = "desk", size: tuple[int, int] = (640, 480)) -> None:
        if not (16 <= size[0] <= 4096 and 16 <= size[1] <= 4096):
            raise ValueError(f"a synthetic camera has frames of 16 to 4096 pixels a side, found {size[0]}x{size[1]}")
        self._preset = load_preset(preset)
        self._size = size
        self._rng = np.random.Generator(np.random.PCG64(int.from_bytes(random.token_bytes(16))))
        self._drift = int.from_bytes(random.token_bytes(4))
        self._number = 0
        self._plane: Image | None = None
        self._pose: NDArray[np.float64] = np.zeros(5)
        self._tremor: NDArray[np.float64] = np.zeros(2)
        self.name = f"synthetic camera, {preset}, {size[0]}x{size[1]}"

    def show(self, picture: Image) -> None:
        """Hold ``picture`` (a code with its quiet zone, gray or colour) before the camera, in a new pose.

        Raises:
            ImageError: if it is not a picture.
        """
        self._plane = draw_scene(require_image(picture), self._preset.scene, self._size)
        pose = self._preset.pose
        reach = [pose.tilt, pose.pan, pose.roll, pose.shift * self._size[0], pose.shift * self._size[1]]
        self._pose = self._rng.uniform(-1, 1, 5) * reach
        self._tremor = self._rng.standard_normal(2) * pose.tremor

    def photograph(self, code: Image) -> Image:
        """One picture, in colour, of ``code`` held before the camera; each call draws its own pose.

        Raises:
            ImageError: if ``code`` is not a picture.
        """
        self.show(code)
        return self._capture()

    def frames(self) -> Iterator[Frame]:
        """Frames of what is shown, for ever; the hand trembles between them. Time starts at 0.

        Raises:
            NothingToSee: as long as nothing is shown.
        """
        for number in count():
            yield Frame(self._capture(), number / self._preset.sensor.frames_per_second, self.name)

    def close(self) -> None:
        """Take away what was shown."""
        self._plane = None

    def _capture(self) -> Image:
        """What the sensor delivers: light falls on the scene, passes the lens, meets the sensor."""
        if self._plane is None:
            raise NothingToSee(f"{self.name} has nothing before it: show() it a picture first")
        preset = self._preset
        scale = self._size[1] / 480
        seeds = [int(seed) for seed in self._rng.integers(0, 2**32, 3)]
        image = optics.perspective(self._plane, self._homography(scale), self._size)
        image = optics.glare(image, preset.light.glare, seeds[0])
        image = optics.rolling_shutter(image, preset.lens.rolling * scale)
        image = optics.motion_blur(image, preset.lens.motion * scale * self._rng.uniform(0, 1), seeds[1])
        image = optics.lens_blur(image, preset.lens.blur * scale)
        image = optics.moire(image, preset.sensor.moire, seeds[1])
        image = optics.vignette(image, preset.light.vignette)
        image = optics.flicker(image, preset.light.flicker, seeds[0])
        hunting = optics.exposure_drift(preset.light.drift, self._number / preset.sensor.frames_per_second, self._drift)
        image = optics.exposure(image, preset.light.brightness * hunting, preset.light.contrast)
        self._number += 1
        image = optics.sensor_noise(image, preset.sensor.noise, seeds[2])
        image = optics.jpeg(image, preset.sensor.jpeg)
        return optics.mirrored(image) if preset.sensor.mirrored else image

    def _homography(self, scale: float) -> NDArray[np.float64]:
        """The pose with which the hand holds the camera now; the tremor moves on by one frame."""
        assert self._plane is not None
        push = self._rng.standard_normal(2) * self._preset.pose.tremor
        self._tremor = _STEADINESS * self._tremor + (1 - _STEADINESS**2) ** 0.5 * push
        tilt, pan, roll, across, down = self._pose
        plane = (self._plane.shape[1], self._plane.shape[0])
        sway, bob = scale * self._tremor
        return optics.pose(self._size, plane, optics.View(tilt, pan, roll, across + sway, down + bob))
