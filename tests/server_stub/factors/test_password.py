import asyncio
import secrets
import statistics
import threading
import time
from collections.abc import Iterator

import pytest

from server_stub.factors.password import PasswordHasher
from server_stub.settings import Argon2Cost
from tests.server_stub.world import CHEAP


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    """A cheap one."""
    hasher = PasswordHasher(CHEAP, secrets.token_bytes)
    yield hasher
    hasher.close()


def test_a_hash_says_its_cost_and_matches_its_password_only(hasher: PasswordHasher) -> None:
    """In the PHC form, so that costs can be raised later."""

    async def check() -> None:
        stored = await hasher.hash("secret")
        assert stored.startswith("$argon2id$v=19$m=64,t=1,p=1$")
        assert await hasher.matches("secret", stored)
        assert not await hasher.matches("Secret", stored)
        assert not await hasher.matches("secret", None)

    asyncio.run(check())


def test_the_default_cost_is_the_owasp_minimum() -> None:
    """19 MiB, two passes, one lane."""
    assert Argon2Cost() == Argon2Cost(memory_kib=19456, iterations=2, lanes=1)


def test_the_same_password_makes_another_badge_key_each_time(hasher: PasswordHasher) -> None:
    """So that badges die even when a password is changed to itself."""

    async def check() -> tuple[bytes, bytes]:
        return await hasher.badge_key("secret"), await hasher.badge_key("secret")

    one, other = asyncio.run(check())
    assert one != other
    assert len(one) == 32


def test_an_unknown_user_costs_as_much_as_a_wrong_password() -> None:
    """The medians of interleaved checks lie within half of each other; without the dummy it would be a factor of 1000."""
    hasher = PasswordHasher(Argon2Cost(memory_kib=4096, iterations=2), secrets.token_bytes)

    async def measure() -> tuple[list[float], list[float]]:
        stored = await hasher.hash("secret")
        known: list[float] = []
        unknown: list[float] = []
        for _ in range(15):
            for times, hashed in ((known, stored), (unknown, None)):
                start = time.perf_counter()
                await hasher.matches("wrong", hashed)
                times.append(time.perf_counter() - start)
        return known, unknown

    known, unknown = map(statistics.median, asyncio.run(measure()))
    hasher.close()
    assert 0.5 < known / unknown < 2


def test_hashing_leaves_the_event_loop_free(hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs in a thread of its own."""
    threads: list[str] = []

    def note(*_: object) -> bool:
        threads.append(threading.current_thread().name)
        return True

    monkeypatch.setattr("server_stub.factors.password._matches", note)
    asyncio.run(hasher.matches("secret", "stored"))
    assert threads
    assert threads[0].startswith("argon2")
