import asyncio
import secrets
import threading
from collections.abc import Iterator

import pytest

from server_stub.factors.password import PasswordHasher, _matches
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


def test_an_unknown_user_costs_as_much_as_a_wrong_password(
    hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hash of the same cost each: the work is compared, since the time on a busy machine says nothing."""
    work: list[str] = []

    def note(password: bytes, stored: str) -> bool:
        work.append(stored[: stored.rindex("$", 0, stored.rindex("$"))])
        return _matches(password, stored)

    monkeypatch.setattr("server_stub.factors.password._matches", note)

    async def check() -> None:
        stored = await hasher.hash("secret")
        assert not await hasher.matches("wrong", stored)
        assert not await hasher.matches("wrong", None)

    asyncio.run(check())
    assert work == ["$argon2id$v=19$m=64,t=1,p=1"] * 2


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
