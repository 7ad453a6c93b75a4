"""What the tests of pages share."""

from collections.abc import Iterator

import pytest

from server_stub.settings import Settings
from tests.server_stub.world import World, own_world


@pytest.fixture
def world_of_its_own(settings: Settings) -> Iterator[World]:
    """A server whose clock one test alone moves."""
    with own_world(settings) as world:
        yield world
