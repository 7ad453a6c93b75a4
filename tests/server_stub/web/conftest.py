"""What the tests of pages share."""

from collections.abc import Iterator

import pytest

from authrig.playwright_webcam import fake_webcam, fake_webcam_of_session
from server_stub.settings import Settings
from tests.server_stub.world import World, own_world

__all__ = ["fake_webcam", "fake_webcam_of_session", "world_of_its_own"]


@pytest.fixture
def world_of_its_own(settings: Settings) -> Iterator[World]:
    """A server whose clock one test alone moves."""
    with own_world(settings) as world:
        yield world
