from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, MetaData, create_engine

from server_stub.limits import HARD_LOCK_AT, Attempts, Lock, lock_after


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A database with nothing but attempts."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        METADATA.create_all(connection)
        yield connection
    engine.dispose()


METADATA = MetaData()
ATTEMPTS = Attempts(METADATA)


def test_the_schedule_is_a_minute_and_then_twice_as_long() -> None:
    """From the fifth wrong attempt on."""
    assert [lock_after(failures, 100.0) for failures in range(1, 10)] == [0, 0, 0, 0, 160, 220, 340, 580, 1060]


def test_an_attempt_counts_before_it_is_judged(connection: Connection) -> None:
    """So a burst of attempts, none of them judged yet, meets the lock."""
    outcomes = [ATTEMPTS.reserve(connection, "alice", "PASSWORD", 0.0) for _ in range(8)]
    assert outcomes == [None] * 5 + [Lock(60.0)] * 3


def test_subjects_and_methods_are_counted_apart(connection: Connection) -> None:
    """Somebody else's mistakes lock nobody."""
    for _ in range(6):
        ATTEMPTS.reserve(connection, "alice", "PASSWORD", 0.0)
    assert ATTEMPTS.reserve(connection, "bob", "PASSWORD", 0.0) is None
    assert ATTEMPTS.reserve(connection, "alice", "offline_qrcode", 0.0) is None


def test_a_released_attempt_never_happened(connection: Connection) -> None:
    """It could not be judged at all."""
    for _ in range(100):
        assert ATTEMPTS.reserve(connection, "alice", "PASSWORD", 0.0) is None
        ATTEMPTS.release(connection, "alice", "PASSWORD")


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["wrong", "right"]), st.floats(0, 400)), max_size=40))
def test_the_table_agrees_with_a_model_on_paper(steps: list[tuple[str, float]]) -> None:
    """Whatever the order of attempts and pauses."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        METADATA.create_all(connection)
        failures, until, now = 0, 0.0, 1000.0
        for outcome, pause in steps:
            now += pause
            lock = ATTEMPTS.reserve(connection, "alice", "PASSWORD", now)
            hard = failures >= HARD_LOCK_AT
            assert (lock is not None) == (hard or until > now)
            if lock:
                assert lock == Lock(None if hard else until)
            elif outcome == "right":
                ATTEMPTS.clear(connection, "alice", "PASSWORD")
                failures, until = 0, 0.0
            else:
                failures, until = failures + 1, lock_after(failures + 1, now)
    engine.dispose()
