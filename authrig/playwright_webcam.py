"""A webcam for pages under test: ``fake_webcam.show(badge)``, and the page sees it with its next picture.

The fixtures come with the pytest plugin of ``authrig``. Nothing is imported until a test asks for one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image
    from emulators.camera_scanner.webcams.chromium_file import ChromiumFileWebcam

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
"""Browsers of this machine that are taken before the one that Playwright would have to download."""


class FakeWebcam:
    """The webcam of a Chromium that was started with ``launch_options``; it is live, with no need to open it again."""

    def __init__(self, file: ChromiumFileWebcam) -> None:
        self._file = file

    @property
    def launch_options(self) -> dict[str, Any]:
        """For ``playwright.chromium.launch(**launch_options)``: pages that ask for a camera get this one, unasked.

        With the browser of this machine where there is one, and without a sandbox only for root, who cannot have one.
        """
        options: dict[str, Any] = {"args": list(self._file.arguments)}
        if os.geteuid() == 0:
            options["args"].append("--no-sandbox")
        found = next(filter(None, map(shutil.which, CHROMIUM)), None)
        if found is not None:
            options["executable_path"] = found
        return options

    def show(self, badge: str | bytes | Path | Image) -> None:
        """Hold something before the camera: a text or bytes as a QR code, the picture in a file, or a picture (pixels).

        Raises:
            UnreadableFile: if the file at a ``Path`` holds no picture.
            ImageError: if pixels are no picture.
            ValueError: if a text does not fit into a QR code.
        """
        self._file.show(_picture(badge))

    def cover(self) -> None:
        """Nothing but black."""
        import numpy as np  # noqa: PLC0415 - pytest starts quickly for those who ask for no webcam

        self._file.show(np.zeros((2, 2), np.uint8))


def _picture(badge: str | bytes | Path | Image) -> Image:
    if isinstance(badge, Path):
        from emulators.camera_scanner.sources.images import load_image  # noqa: PLC0415 - as above

        return load_image(badge)
    if isinstance(badge, str | bytes):
        from authrig.pictures import picture_from_png, print_code  # noqa: PLC0415 - as above

        return picture_from_png(print_code(badge))
    return badge


@pytest.fixture(scope="session")
def fake_webcam_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeWebcam]:
    """One webcam for all tests, for fixtures that start a browser for all of them (as pytest-playwright does)."""
    from emulators.camera_scanner.webcams.chromium_file import ChromiumFileWebcam  # noqa: PLC0415 - as above

    with ChromiumFileWebcam(tmp_path_factory.mktemp("webcam") / "webcam.y4m") as file:
        yield FakeWebcam(file)


@pytest.fixture
def fake_webcam(fake_webcam_of_session: FakeWebcam) -> Iterator[FakeWebcam]:
    """The webcam, black until this test shows something."""
    fake_webcam_of_session.cover()
    yield fake_webcam_of_session
    fake_webcam_of_session.cover()
