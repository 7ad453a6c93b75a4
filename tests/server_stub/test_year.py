"""A year of a user's life with the server, on a clock that jumps: what expires, locks and drifts does so on its day."""

import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from offline_qr import otq1
from server_stub.cloud import challenges, passcodes, tokens
from server_stub.cloud.hotp import hotp
from server_stub.cloud.messages import Auth, DisplayField, ImportToken, Passcode, Resync, Verify, VerifyResult
from server_stub.cloud.store import attempts, audit, metadata
from server_stub.limits import SCHEDULE
from server_stub.store.database import Database
from server_stub.sweep import CHALLENGE_MEMORY, sweep_cloud
from server_stub.vault import Vault

DAY = 86400.0
NEW_YEAR = 1_767_225_600.0
USER, QR, CLOCK = "00" * 16, "qr", "clock"
SERIAL, SEED, KEY = "QT1-00000042", bytes(range(32)), bytes(range(20))
KEYS = otq1.derive_keys(SERIAL, SEED)
VAULT = Vault(bytes(32), secrets.token_bytes)
DRIFT_A_DAY = 2.0
"""Seconds that the token's clock loses: a cheap crystal, twelve minutes in the year."""


class Year:
    """One user, a QR token and a token with a clock; ``now`` is the day."""

    def __init__(self, where: Path | str) -> None:
        self.database = Database(where, metadata)
        self.now = NEW_YEAR
        for name, message in (
            (QR, ImportToken(SERIAL, SEED.hex(), "qr")),
            (CLOCK, ImportToken("OTP-1", KEY.hex(), "clock", "totp", digits=6, period=30)),
        ):
            self.database.run_now(tokens.import_token, VAULT, name, message, self.now)
            self.database.run_now(tokens.assign, name, USER, self.now)

    def challenge(self) -> tuple[str, str]:
        """A challenge and its code."""
        message = Auth(USER, QR, "offline_qrcode", "login", "session", [DisplayField(otq1.Tag.SERVICE, "Bank")], 180)
        issued = self.database.run_now(challenges.issue, VAULT, secrets.token_bytes(12), message, self.now)
        return issued.session_id, otq1.compute_code(otq1.decode(issued.qrcode_content, KEYS, SERIAL), KEYS)

    def answer(self, challenge: str, code: str) -> str:
        """What the cloud says to a code for a challenge."""
        message = Verify(USER, challenge, code)
        return self.database.run_now(challenges.verify, VAULT, message, self.now).status

    def passcode(self, code: str) -> VerifyResult:
        """What the cloud says to a code of the clock."""
        return self.database.run_now(passcodes.verify, VAULT, Passcode(USER, CLOCK, code), self.now, SCHEDULE)

    def shown(self, day: int) -> str:
        """What the token with the slow clock shows now."""
        return hotp(KEY, int((self.now - DRIFT_A_DAY * day) // 30), 6)


@pytest.fixture
def year(tmp_path: Path) -> Iterator[Year]:
    """A year on a SQLite file."""
    year = Year(tmp_path / "cloud.sqlite3")
    yield year
    year.database.close()


def test_a_year_of_logins(year: Year) -> None:
    """Codes are good once and on time, also those of a clock that drifts twelve minutes; locks last a minute.

    Nothing that expired is kept for more than its hour.
    """
    chance = random.Random(2026)  # noqa: S311 - the days of a test
    outcomes: dict[str, int] = {}
    for day in range(365):
        year.now = NEW_YEAR + day * DAY + chance.uniform(0, DAY / 2)
        code = year.shown(day)
        assert year.passcode(code).status == "approved", f"day {day}"
        assert year.passcode(code).status == "wrong_code", "a code is good once"
        challenge, code = year.challenge()
        what = chance.choice(["at once", "late", "locked"])
        if what == "late":
            year.now += 181
            assert year.answer(challenge, code) == "expired"
        elif what == "locked":
            for _ in range(2):
                for _ in range(3):
                    year.answer(challenge, "00000000" if code != "00000000" else "11111111")
                locked = year.database.run_now(attempts.lock, QR, challenges.METHOD, year.now)
                if locked is None:
                    challenge, code = year.challenge()
            assert locked is not None
            assert locked.until == year.now + 60
            assert year.answer(challenge, code) == "locked_out"
            year.now += 60
            challenge, code = year.challenge()
            assert year.answer(challenge, code) == "approved"
        else:
            assert year.answer(challenge, code) == "approved"
        outcomes[what] = outcomes.get(what, 0) + 1
        year.now += CHALLENGE_MEMORY + 200
        assert year.database.run_now(sweep_cloud, year.now)["challenges"] >= 1
    assert set(outcomes) == {"at once", "late", "locked"}
    assert year.database.run_now(sweep_cloud, year.now) == {"challenges": 0, "enrollments": 0, "pushes": 0}
    assert year.database.run_now(audit.verify) is None


def test_a_clock_that_nobody_used_for_half_a_year_is_found_again(year: Year) -> None:
    """Six minutes off it is refused; two codes in a row bring it back, and then it is followed again."""
    assert year.passcode(year.shown(0)).status == "approved"
    year.now += 182 * DAY
    assert year.passcode(year.shown(182)).status == "wrong_code"
    step = int((year.now - DRIFT_A_DAY * 182) // 30)
    message = Resync(USER, hotp(KEY, step, 6), hotp(KEY, step + 1, 6))
    assert year.database.run_now(passcodes.resync, VAULT, CLOCK, message, year.now).status == "approved"
    year.now += DAY
    assert year.passcode(year.shown(183)).status == "approved"
