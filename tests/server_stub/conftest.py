"""A running server for the tests of this folder."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from server_stub.run import run_server
from server_stub.settings import Settings
from tests.server_stub.world import CHEAP, MovableClock, World


@pytest.fixture(scope="session")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One server for all tests: they keep apart by having users of their own."""
    clock = MovableClock()
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("server") / "data",
        argon2=CHEAP,
        time=clock.time,
        trusted_proxies=("127.0.0.0/8",),
        address_failure_limit=100_000,
    )
    with run_server(settings) as server, ExitStack() as stack:
        yield World(server, clock, stack)


@pytest.fixture
def world(shared_world: World) -> World:
    """The shared server. A test may move its clock forward; it is never put back."""
    return shared_world


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings for a server of a test's own."""
    return Settings(data_dir=tmp_path / "data", argon2=CHEAP)
