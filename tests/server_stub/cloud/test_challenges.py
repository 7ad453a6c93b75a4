import concurrent.futures
import itertools
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from offline_qr.otq1 import Tag, compute_code, decode, derive_keys
from server_stub.cloud import challenges, tokens
from server_stub.cloud.messages import Auth, DisplayField, ImportToken, Verify, VerifyResult
from server_stub.cloud.store import audit, metadata
from server_stub.errors import ApiError
from server_stub.store.database import Database
from server_stub.vault import Vault
from tests.server_stub.world import SEED, off_by_one

USER = "00" * 16
TOKEN = "the-token"
SERIAL = "QT1-00000042"
NOW = 1_767_225_600.0
VAULT = Vault(bytes(32), secrets.token_bytes)
KEYS = derive_keys(SERIAL, SEED)


class Desk:
    """A cloud without its HTTP: one token, one user, and as many connections as asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = Database(path, metadata)
        self.now = NOW
        self._references = itertools.count()
        message = ImportToken(SERIAL, SEED.hex(), "Token")
        self.database.run_now(tokens.import_token, VAULT, TOKEN, message, NOW)
        self.database.run_now(tokens.assign, TOKEN, USER, NOW)

    def issue(self, reference: str = "", ttl: int = 180) -> tuple[str, str]:
        """A new challenge: its id and its code."""
        reference = reference or f"session-{next(self._references)}"
        fields = [DisplayField(Tag.SERVICE, "Bank")]
        message = Auth(USER, TOKEN, "offline_qrcode", "login", reference, fields, ttl)
        result = self.database.run_now(challenges.issue, VAULT, secrets.token_bytes(12), message, self.now)
        return result.session_id, compute_code(decode(result.qrcode_content, KEYS, SERIAL), KEYS)

    def verify(self, challenge: str, code: str, user: str = USER) -> VerifyResult:
        """The cloud's judgement."""
        return self.database.run_now(challenges.verify, VAULT, Verify(user, challenge, code), self.now)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A fresh cloud."""
    desk = Desk(tmp_path / "cloud.sqlite3")
    yield desk
    desk.database.close()


def test_the_right_code_is_accepted_once(desk: Desk) -> None:
    """Then the challenge is used."""
    challenge, code = desk.issue()
    assert desk.verify(challenge, code) == VerifyResult("allow", "approved")
    assert desk.verify(challenge, code) == VerifyResult("deny", "used")


def test_three_wrong_codes_kill_a_challenge(desk: Desk) -> None:
    """The right one comes too late then."""
    challenge, code = desk.issue()
    left = [desk.verify(challenge, off_by_one(code)).attempts_left for _ in range(3)]
    assert left == [2, 1, 0]
    assert desk.verify(challenge, code).status == "dead"


def test_a_challenge_dies_at_its_time(desk: Desk) -> None:
    """To the second."""
    challenge, code = desk.issue(ttl=30)
    late, late_code = desk.issue(ttl=30)
    desk.now += 29.999
    assert desk.verify(challenge, code).result == "allow"
    desk.now += 0.001
    assert desk.verify(late, late_code).status == "expired"


def test_a_new_challenge_for_the_same_session_cancels_the_old_one(desk: Desk) -> None:
    """Another session's stays open."""
    old, old_code = desk.issue("one")
    other, other_code = desk.issue("two")
    desk.issue("one")
    assert desk.verify(old, old_code).status == "cancelled"
    assert desk.verify(other, other_code).result == "allow"


def test_a_token_has_three_open_challenges_at_most(desk: Desk) -> None:
    """A fourth cancels the oldest."""
    issued = []
    for _ in range(4):
        issued.append(desk.issue())
        desk.now += 1
    assert [desk.verify(*each).status for each in issued] == ["cancelled", "approved", "approved", "approved"]


def test_a_challenge_is_judged_for_its_own_user_only(desk: Desk) -> None:
    """Nobody else can use it up, and nothing counts."""
    challenge, code = desk.issue()
    assert desk.verify(challenge, code, user="11" * 16).status == "unknown_session"
    assert desk.verify("00" * 12, code).status == "unknown_session"
    assert desk.verify(challenge, code).result == "allow"


def test_five_wrong_in_a_row_lock_the_token_and_each_further_one_twice_as_long(desk: Desk) -> None:
    """Over several challenges; attempts during a lock neither count nor lengthen it; ten are the end."""
    waits: list[float | None] = []
    for number in range(1, 11):
        challenge, code = desk.issue()
        assert desk.verify(challenge, off_by_one(code)).status == "wrong_code"
        if number < 5:
            continue
        during = [desk.verify(challenge, each) for each in (code, off_by_one(code), code)]
        assert {each.status for each in during} == {"locked_out"}
        assert len({each.locked_until for each in during}) == 1
        with pytest.raises(ApiError, match="LOCKED_OUT"):
            desk.issue()
        until = during[0].locked_until
        waits.append(until and until - desk.now)
        desk.now = until or desk.now + 1e9
    assert waits == [60, 120, 240, 480, 960, None]
    with pytest.raises(ApiError, match="LOCKED_OUT"):
        desk.issue()


def test_a_right_code_forgives_the_wrong_ones(desk: Desk) -> None:
    """Only those in a row count."""
    for _ in range(3):
        challenge, code = desk.issue()
        for _ in range(2):
            desk.verify(challenge, off_by_one(code))
        assert desk.verify(challenge, code).result == "allow"


def test_codes_for_closed_challenges_do_not_count(desk: Desk) -> None:
    """Nobody locks a token by typing an old code again and again."""
    challenge, code = desk.issue()
    desk.verify(challenge, code)
    assert {desk.verify(challenge, code).status for _ in range(20)} == {"used"}
    challenge, code = desk.issue()
    assert desk.verify(challenge, code).result == "allow"


@pytest.mark.parametrize("connections", [1, 8])
def test_of_64_submissions_of_one_code_exactly_one_is_accepted(desk: Desk, connections: int) -> None:
    """In one process and, as several processes would, over connections of their own; round after round."""
    databases = [Database(desk.path, metadata) for _ in range(connections)]
    try:
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            for _ in range(5):
                challenge, code = desk.issue()
                message = Verify(USER, challenge, code)
                calls = [
                    pool.submit(databases[number % connections].run_now, challenges.verify, VAULT, message, NOW)
                    for number in range(64)
                ]
                statuses = [call.result().status for call in calls]
                assert (statuses.count("approved"), statuses.count("used")) == (1, 63)
    finally:
        for database in databases:
            database.close()
    assert desk.database.run_now(audit.verify) is None


def test_of_64_wrong_codes_at_once_only_three_are_looked_at(desk: Desk) -> None:
    """A burst of guesses gains nothing over guessing one by one."""
    databases = [Database(desk.path, metadata) for _ in range(8)]
    challenge, code = desk.issue()
    message = Verify(USER, challenge, off_by_one(code))
    try:
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            calls = [
                pool.submit(databases[number % 8].run_now, challenges.verify, VAULT, message, NOW)
                for number in range(64)
            ]
            statuses = [call.result().status for call in calls]
    finally:
        for database in databases:
            database.close()
    assert (statuses.count("wrong_code"), statuses.count("dead")) == (3, 61)
