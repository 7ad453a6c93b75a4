import concurrent.futures
import itertools
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from server_stub.cloud import passcodes, tokens
from server_stub.cloud.hotp import hotp
from server_stub.cloud.messages import ImportToken, Kind, Passcode, Resync
from server_stub.cloud.store import metadata
from server_stub.limits import SCHEDULE
from server_stub.store.database import Database
from server_stub.vault import Vault

USER, KEY, NOW = "00" * 16, bytes(range(20)), 1_767_225_600.0
VAULT = Vault(bytes(32), secrets.token_bytes)


class Desk:
    """A cloud without its HTTP, and one OTP token."""

    def __init__(self, path: Path, kind: Kind) -> None:
        self.path, self.now, self.period = path, NOW, 30
        self.database = Database(path, metadata)
        message = ImportToken("OTP-1", KEY.hex(), "Token", kind, 6, counter=0)
        self.database.run_now(tokens.import_token, VAULT, "otp", message, NOW)
        self.database.run_now(tokens.assign, "otp", USER, NOW)

    def submit(self, factor: int) -> str:
        """What the cloud says to the code of ``factor``."""
        message = Passcode(USER, "otp", hotp(KEY, factor, 6))
        return self.database.run_now(passcodes.verify, VAULT, message, self.now, SCHEDULE).status

    def resync(self, first: int, second: int) -> str:
        """What it says to two codes."""
        message = Resync(USER, hotp(KEY, first, 6), hotp(KEY, second, 6))
        return self.database.run_now(passcodes.resync, VAULT, "otp", message, self.now).status

    @property
    def step(self) -> int:
        """The time step of now."""
        return int(self.now // self.period)


Open = Callable[[Kind], Desk]


@pytest.fixture
def opened(tmp_path: Path, request: pytest.FixtureRequest) -> Open:
    """A fresh cloud."""

    def make(kind: Kind) -> Desk:
        desk = Desk(tmp_path / "cloud.sqlite3", kind)
        request.addfinalizer(desk.database.close)
        return desk

    return make


def test_a_counting_token_may_be_ten_codes_ahead_and_never_behind(opened: Open) -> None:
    """Buttons are pressed in pockets."""
    desk = opened("hotp")
    assert [desk.submit(factor) for factor in (0, 0, 5, 4, 16, 17)] == [
        "approved",
        "wrong_code",
        "approved",
        "wrong_code",
        "approved",
        "approved",
    ]
    assert desk.submit(18 + 11) == "wrong_code"


def test_a_code_of_a_clock_is_good_once_and_one_step_around_now(opened: Open) -> None:
    """Also within its own thirty seconds."""
    desk = opened("totp")
    assert desk.submit(desk.step - 2) == "wrong_code"
    assert desk.submit(desk.step - 1) == "approved"
    assert desk.submit(desk.step) == "approved"
    assert desk.submit(desk.step) == "wrong_code"
    assert desk.submit(desk.step - 1) == "wrong_code"


def test_the_drift_of_a_clock_is_followed(opened: Open) -> None:
    """One that loses a second a day stays in use for years; here two simulated ones with a login each day."""
    desk = opened("totp")
    for day in range(730):
        desk.now = NOW + day * 86400
        assert desk.submit(int((desk.now - day) // 30)) == "approved", day


def test_two_codes_in_a_row_find_a_lost_token_again(opened: Open) -> None:
    """Far ahead; not with codes that are not neighbours, that were used, or that are too far away."""
    desk = opened("hotp")
    assert desk.submit(0) == "approved"
    assert desk.submit(200) == "wrong_code"
    assert desk.resync(200, 202) == "wrong_code"
    assert desk.resync(1200, 1201) == "wrong_code"
    assert desk.resync(200, 201) == "approved"
    assert desk.resync(200, 201) == "wrong_code"
    assert [desk.submit(factor) for factor in (201, 202)] == ["wrong_code", "approved"]


def test_a_clock_that_is_hours_off_is_found_again(opened: Open) -> None:
    """And its drift is kept."""
    desk = opened("totp")
    off = 500
    assert desk.submit(desk.step + off) == "wrong_code"
    assert desk.resync(desk.step + off, desk.step + off + 1) == "approved"
    desk.now += 300
    assert desk.submit(desk.step + off) == "approved"


def test_wrong_codes_lock_and_a_resync_unlocks(opened: Open) -> None:
    """As with any token."""
    desk = opened("hotp")
    assert [desk.submit(500) for _ in range(6)] == ["wrong_code"] * 5 + ["locked_out"]
    assert desk.resync(500, 501) == "approved"
    assert desk.submit(502) == "approved"


def test_of_64_submissions_at_once_one_is_accepted(opened: Open) -> None:
    """Over eight connections, as from eight processes; each round the next code."""
    desk = opened("hotp")
    databases = [Database(desk.path, metadata) for _ in range(8)]
    try:
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            for factor in range(5):
                message = Passcode(USER, "otp", hotp(KEY, factor, 6))
                calls = [
                    pool.submit(database.run_now, passcodes.verify, VAULT, message, desk.now, SCHEDULE)
                    for database in itertools.islice(itertools.cycle(databases), 64)
                ]
                statuses = [call.result().status for call in calls]
                assert statuses.count("approved") == 1
                desk.now += 86400
    finally:
        for database in databases:
            database.close()
