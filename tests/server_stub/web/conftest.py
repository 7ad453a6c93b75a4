"""What the tests of pages share."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from authrig.playwright_webcam import fake_webcam, fake_webcam_of_session
from server_stub.settings import Settings
from tests.server_stub.web.chromium import Desk, new_desk
from tests.server_stub.world import CHEAP, World, own_world

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from authrig.playwright_webcam import FakeWebcam
    from authrig.rig import Rig

__all__ = ["admin_world", "fake_webcam", "fake_webcam_of_session", "world_of_its_own"]


@pytest.fixture(scope="session")
def admin_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One server for all tests of the administration's pages: it has wrong attempts, and users that are listed."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("admin") / "data", argon2=CHEAP)
    with own_world(settings) as world:
        yield world


@pytest.fixture(scope="module")
def browser(fake_webcam_of_session: "FakeWebcam") -> Iterator["Browser"]:
    """A browser with a webcam that it may use, for a module: while it runs, nothing else of its process may use asyncio."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - slow to import, for tests that are skipped too

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**fake_webcam_of_session.launch_options)
        yield browser
        browser.close()


@pytest.fixture
def world_of_its_own(settings: Settings) -> Iterator[World]:
    """A server whose clock one test alone moves."""
    with own_world(settings) as world:
        yield world


@pytest.fixture
def desk(browser: "Browser", rig: "Rig") -> Iterator[Desk]:
    """A browser that has never been here; nothing on its pages offends against their own policy."""
    with new_desk(browser, rig.origin) as desk:
        yield desk
