"""Many at once, on each kind of database: `python -m benchmarks.race` runs a thousand rounds of the first test."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from benchmarks.race import AT_ONCE, Race
from server_stub.addresses import MANY
from server_stub.errors import ApiError
from server_stub.limits import SCHEDULE, Schedule
from server_stub.store.database import Database
from server_stub.store.iam import addresses, attempts, audit, fido_credentials, metadata
from server_stub.store.users import FidoCredential, User, add_fido_credential, add_user, count_signature

ROUNDS = 12
NOW = 1000.0


@pytest.fixture
def iam(where: Path | str) -> Iterator[list[Database]]:
    """Four of our databases on one of theirs, as four processes have it."""
    databases = [Database(where, metadata) for _ in range(4)]
    yield databases
    for database in databases:
        database.close()


def test_one_code_submitted_64_times_at_once_is_accepted_once(where: Path | str) -> None:
    """Of a QR challenge and of a counting token alike; every submission is in the audit log, whose chain holds."""
    race = Race(where)

    async def rounds() -> list[int]:
        return [await race.round() for _ in range(ROUNDS)]

    accepted = asyncio.run(rounds())
    broken, rows = race.verify_audit()
    race.close()
    assert accepted == [1] * ROUNDS
    assert broken is None
    assert rows == 4 + ROUNDS * AT_ONCE + ROUNDS // 2


def test_wrong_attempts_at_once_are_all_counted(iam: list[Database]) -> None:
    """Up to the lock, which exactly one of them begins; no attempt after it is counted."""
    patient = Schedule(lock_from=AT_ONCE, hard_lock_at=AT_ONCE + 10)

    async def burst() -> list[object]:
        tries = (iam[n % 4].run_aside(attempts.reserve, "alice", "PASSWORD", NOW, patient) for n in range(2 * AT_ONCE))
        return await asyncio.gather(*tries)

    locks = asyncio.run(burst())
    assert locks.count(None) == AT_ONCE
    count = iam[0].run_now(attempts.counts, "alice", NOW)[0]
    assert count.failures == AT_ONCE
    assert count.lock is not None
    assert count.lock.until == NOW + SCHEDULE.first_lock


def test_an_address_may_guess_exactly_as_often_as_it_may(iam: list[Database]) -> None:
    """However many guess at once."""

    async def guess(number: int) -> bool:
        try:
            await iam[number % 4].run_aside(addresses.reserve, "192.0.2.1", NOW, 50)
        except ApiError as error:
            return error.code != "TOO_MANY_REQUESTS"
        return True

    async def burst() -> list[bool]:
        return await asyncio.gather(*(guess(number) for number in range(100)))

    assert asyncio.run(burst()).count(True) == 50
    with pytest.raises(ApiError, match="TOO_MANY_REQUESTS"):
        iam[0].run_now(addresses.check, "192.0.2.1", NOW, 50)
    iam[0].run_now(addresses.check, "192.0.2.1", NOW, MANY)


def test_a_signature_counter_is_taken_once_and_never_falls(iam: list[Database]) -> None:
    """Of 64 assertions with one count, one is right; afterwards the highest count stands."""
    user = User(bytes(16), "alice", "x", b"x", ())
    iam[0].run_now(add_user, user)
    iam[0].run_now(add_fido_credential, FidoCredential(b"c", user.id, "localhost", "key", b"x", 0))

    async def burst(counts: list[int]) -> list[bool]:
        return await asyncio.gather(
            *(iam[n % 4].run_aside(count_signature, b"c", count, NOW) for n, count in enumerate(counts))
        )

    assert asyncio.run(burst([2**32 - 100] * AT_ONCE)).count(True) == 1
    asyncio.run(burst([2**32 - count for count in range(1, AT_ONCE)]))
    stored = select(fido_credentials.c.sign_count)
    assert iam[0].run_now(lambda connection: connection.execute(stored).scalar_one()) == 2**32 - 1


def test_rows_logged_at_once_make_one_chain(iam: list[Database]) -> None:
    """No number twice and none left out, whichever process wrote the row before."""

    async def burst() -> None:
        await asyncio.gather(*(iam[n % 4].run_aside(audit.append, NOW + n, "x", "y", number=n) for n in range(200)))

    asyncio.run(burst())
    assert iam[0].run_now(audit.verify) is None
    entries = iam[0].run_now(audit.read)
    assert sorted(int(entry.detail["number"]) for entry in entries) == list(range(200))
