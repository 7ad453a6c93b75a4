"""``python -m benchmarks.race``: one right code, submitted 64 times at once, round after round.

Half of the rounds are for a QR challenge, half for a code of a counting token. Four of our databases on one of theirs
stand for as many processes. It stops at the first round in which a code was not accepted exactly once.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from pathlib import Path

from offline_qr import otq1
from server_stub.cloud import challenges, passcodes, tokens
from server_stub.cloud.hotp import hotp
from server_stub.cloud.messages import Auth, DisplayField, ImportToken, Passcode, Verify, VerifyResult
from server_stub.cloud.store import attempts, audit, metadata
from server_stub.limits import SCHEDULE
from server_stub.store.database import Database
from server_stub.vault import Vault

AT_ONCE = 64
PROCESSES = 4
USER = "00" * 16
QR, COUNTING = "qr-token", "counting-token"
SERIAL, SEED, KEY = "QT1-00000042", bytes(range(32)), bytes(range(20))
VAULT = Vault(bytes(32), secrets.token_bytes)
NOW = 1_767_225_600.0


class Race:
    """A user with two tokens in the database ``where``."""

    def __init__(self, where: Path | str) -> None:
        self._databases = [Database(where, metadata) for _ in range(PROCESSES)]
        self._first = self._databases[0]
        self._keys = otq1.derive_keys(SERIAL, SEED)
        self.rounds = 0
        for name, message in (
            (QR, ImportToken(SERIAL, SEED.hex(), "qr")),
            (COUNTING, ImportToken("OTP-1", KEY.hex(), "counting", "hotp", digits=6)),
        ):
            self._first.run_now(tokens.import_token, VAULT, name, message, NOW)
            self._first.run_now(tokens.assign, name, USER, NOW)

    def close(self) -> None:
        """Close the databases."""
        for database in self._databases:
            database.close()

    async def round(self) -> int:
        """How often one code was accepted."""
        number, self.rounds = self.rounds, self.rounds + 1
        results = await (self._challenge() if number % 2 else self._passcode(number // 2))
        return sum(result.result == "allow" for result in results)

    async def _challenge(self) -> list[VerifyResult]:
        message = Auth(USER, QR, "offline_qrcode", "login", "session-1", [DisplayField(otq1.Tag.SERVICE, "Bank")], 180)
        issued = await self._first.run(challenges.issue, VAULT, secrets.token_bytes(12), message, NOW)
        code = otq1.compute_code(otq1.decode(issued.qrcode_content, self._keys, SERIAL), self._keys)
        answer = Verify(USER, issued.session_id, code)
        return await asyncio.gather(
            *(self._turn(turn).run_aside(challenges.verify, VAULT, answer, NOW) for turn in range(AT_ONCE))
        )

    async def _passcode(self, count: int) -> list[VerifyResult]:
        await self._first.run(attempts.clear_all, COUNTING)
        answer = Passcode(USER, COUNTING, hotp(KEY, count, 6))
        return await asyncio.gather(
            *(self._turn(turn).run_aside(passcodes.verify, VAULT, answer, NOW, SCHEDULE) for turn in range(AT_ONCE))
        )

    def _turn(self, turn: int) -> Database:
        return self._databases[turn % PROCESSES]

    def verify_audit(self) -> tuple[int | None, int]:
        """Where the audit chain breaks, if it does, and how many rows it has."""
        broken = self._first.run_now(audit.verify)
        return broken, self._first.run_now(audit.head)[0]


async def run(race: Race, rounds: int) -> None:
    """Run ``rounds``.

    Raises:
        SystemExit: at the first round in which a code was not accepted exactly once.
    """
    for number in range(rounds):
        accepted = await race.round()
        if accepted != 1:
            sys.exit(f"round {number}: the code was accepted {accepted} times")


def main() -> None:
    """Run, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--database", default="", metavar="URL", help="an empty PostgreSQL; SQLite otherwise")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="authrig-race-") as folder:
        race = Race(args.database or Path(folder) / "cloud.sqlite3")
        begun = time.monotonic()
        asyncio.run(run(race, args.rounds))
        took = time.monotonic() - begun
        broken, rows = race.verify_audit()
        race.close()
    print(f"{args.rounds} rounds of {AT_ONCE}: each code accepted exactly once, in {took:.0f} s")
    print(f"audit log: {rows} rows, {'whole' if broken is None else f'broken at row {broken}'}")


if __name__ == "__main__":
    main()
