"""A running server for the tests of this folder."""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from server_stub.run import run_server
from server_stub.settings import Settings
from tests.server_stub.postgresql import find_binaries, new_database, running_postgresql
from tests.server_stub.world import CHEAP, MovableClock, World

NUMBERS = itertools.count(1)
SWITCH = "AUTHRIG_TEST_DATABASE"
"""Set to ``postgresql``, the servers under test have theirs there; they have SQLite files otherwise."""

find_binaries()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """One PostgreSQL for all tests that use it."""
    with running_postgresql() as cluster:
        yield cluster.url


@pytest.fixture
def postgresql_url(postgresql: str) -> str:
    """An empty database in it."""
    return new_database(postgresql, f"test{next(NUMBERS)}")


@pytest.fixture(scope="session")
def new_database_url(request: pytest.FixtureRequest) -> Callable[[], str]:
    """What the setting ``database_url`` of one more server is."""
    kind = os.environ.get(SWITCH, "sqlite")
    if kind == "sqlite":
        return str
    assert kind == "postgresql", f"{SWITCH} is {kind!r}, expected sqlite or postgresql"
    server: str = request.getfixturevalue("postgresql")
    return lambda: new_database(server, f"test{next(NUMBERS)}")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("pg_ctl"))])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """An empty database, once of each kind."""
    if request.param == "sqlite":
        return tmp_path / "test.sqlite3"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture(scope="session")
def shared_world(tmp_path_factory: pytest.TempPathFactory, new_database_url: Callable[[], str]) -> Iterator[World]:
    """One server for all tests: they keep apart by having users of their own."""
    clock = MovableClock()
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("server") / "data",
        database_url=new_database_url(),
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
def settings(tmp_path: Path, new_database_url: Callable[[], str]) -> Settings:
    """Settings for a server of a test's own."""
    return Settings(data_dir=tmp_path / "data", database_url=new_database_url(), argon2=CHEAP)


@pytest.fixture
def file_settings(tmp_path: Path) -> Settings:
    """The same for a test that is about SQLite files."""
    return Settings(data_dir=tmp_path / "data", argon2=CHEAP)
