"""What a SIGKILL of the real server process, at any instruction, may and may not lose."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from server_stub.cloud.hotp import hotp
from server_stub.cloud.store import audit as cloud_audit
from server_stub.cloud.store import metadata as cloud_tables
from server_stub.store.database import Database
from server_stub.store.iam import audit as iam_audit
from server_stub.store.iam import metadata as iam_tables
from tests.server_stub.postgresql import new_database, running_postgresql
from tests.server_stub.world import NO_TLS, PASSWORD, PUBLIC, SEED, code_of, next_of

KEY = bytes(range(20))
LOGINS = 200
USERS = 8
AWAY = 503
SERVE = """
import json, sys
from pathlib import Path
from server_stub.run import serve
from server_stub.settings import Argon2Cost, Settings

def tell(server):
    print(json.dumps([server.public_url, server.internal_url, server.admin_token]), flush=True)

cheap = Argon2Cost(64, 1)
serve(Settings(data_dir=Path(sys.argv[1]), database_url=sys.argv[2], argon2=cheap, address_failure_limit=10**6), tell)
"""


class Process:
    """The server, as its users have it."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        command = [sys.executable, "-c", SERVE, str(folder), database_url]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.public, self.internal, self.token = json.loads(self._process.stdout.readline())

    def kill(self) -> None:
        """At once, with no time for anything."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def admin(self, method: str, path: str, body: object = None) -> httpx.Response:
        """A call of the administration."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.request(method, f"{self.internal}/admin/rest{path}", json=body, headers=headers, verify=NO_TLS)


class Walker(threading.Thread):
    """One user with a counting token who logs in again and again, and writes down what was acknowledged.

    ``spent`` is a code that was acknowledged before: the first login shows it once more.
    """

    def __init__(self, server: Process, name: str, tried: int, spent: int | None) -> None:
        super().__init__()
        self._server, self._name, self._spent = server, name, spent
        self.accepted: set[int] = set()
        self.tried = tried
        self.wrong: list[str] = []

    def run(self) -> None:
        """Until the server is gone, or all is done."""
        try:
            while len(self.accepted) < LOGINS // USERS and not self.wrong:
                self._log_in()
        except httpx.HTTPError:
            return

    def _log_in(self) -> None:
        with at_the_code(self._server, self._name) as client:
            if client is None:
                return
            if self._spent is not None:
                again = client.post("/airlock-2fa/otp/check/", json={"otp": hotp(KEY, self._spent, 6)})
                if again.status_code != AWAY and code_of(again) != "OTP_WRONG":
                    self.wrong.append(f"the code {self._spent} was used and is answered: {again.text}")
                self._spent = None
            factor, self.tried = self.tried, self.tried + 1
            answer = client.post("/airlock-2fa/otp/check/", json={"otp": hotp(KEY, factor, 6)})
            if answer.status_code == 200:
                self.accepted.add(factor)
            elif answer.status_code != AWAY:
                self.wrong.append(f"the new code {factor} is answered: {answer.text}")


@contextmanager
def at_the_code(server: Process, name: str) -> Iterator[httpx.Client | None]:
    """A browser whose user has given the password; None if the database was away, or back too late to choose the token."""
    with httpx.Client(base_url=server.public + PUBLIC, verify=NO_TLS, timeout=30) as client:
        client.headers["X-Same-Domain"] = "1"
        client.post("/applications/portal/access/")
        answer = client.post("/password/check/", json={"username": name, "password": PASSWORD})
        assert answer.status_code in {200, 401, AWAY}, answer.text
        ready = answer.status_code == 200 and next_of(answer) == "AIRLOCK_2FA_OTP_REQUIRED"
        yield client if ready else None


@dataclass
class Siege:
    """Eight users, and what the server has acknowledged to them."""

    names: list[str]
    tried: dict[str, int]
    acknowledged: dict[str, set[int]]

    @property
    def total(self) -> int:
        """How many logins were acknowledged."""
        return sum(map(len, self.acknowledged.values()))

    def walk(self, server: Process, strike: Callable[[], None], logins: int) -> None:
        """Let all of them log in, and ``strike`` when each has once and all together ``logins`` times."""
        walkers = [
            Walker(server, name, self.tried[name], max(self.acknowledged[name], default=None)) for name in self.names
        ]
        for walker in walkers:
            walker.start()
        while any(walker.is_alive() for walker in walkers) and not (
            all(walker.accepted for walker in walkers) and sum(len(walker.accepted) for walker in walkers) >= logins
        ):
            time.sleep(0.002)
        strike()
        for name, walker in zip(self.names, walkers, strict=True):
            walker.join()
            assert walker.wrong == []
            self.acknowledged[name] |= walker.accepted
            self.tried[name] = walker.tried

    def check(self, iam: Path | str, cloud: Path | str) -> None:
        """Both audit chains are whole, and the IAM's has every login that was acknowledged."""
        for where, tables, log in ((iam, iam_tables, iam_audit), (cloud, cloud_tables, cloud_audit)):
            with closing(Database(where, tables)) as database:
                assert database.run_now(log.verify) is None
        with closing(Database(iam, iam_tables)) as database:
            _, events = database.run_now(iam_audit.count, 0)
        assert events["login", "authenticated"] >= self.total


def besieged(server: Process) -> Siege:
    """Eight users with a token each."""
    names = [f"walker{number}" for number in range(USERS)]
    for number, name in enumerate(names):
        server.admin("POST", "/users", {"username": name, "password": PASSWORD})
        body = {"kind": "hotp", "serial": f"OTP-{number}", "seedHex": KEY.hex(), "displayName": "x"}
        assert server.admin("POST", f"/users/{name}/tokens", body).status_code == 201
    return Siege(names, dict.fromkeys(names, 0), {name: set() for name in names})


@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost_and_no_code_is_accepted_twice(where: Path | str, tmp_path: Path) -> None:
    """Killed again and again during 200 logins of eight users; each code that was accepted is refused afterwards."""
    chance = random.Random(7)  # noqa: S311 - moments of a test
    url = where if isinstance(where, str) else ""
    files = (url, url) if url else (tmp_path / "iam.sqlite3", tmp_path / "cloud.sqlite3")
    server = Process(tmp_path, url)
    siege = besieged(server)
    kills = 0
    while siege.total < LOGINS or kills < 2:
        siege.walk(server, server.kill, chance.randint(USERS, 60))
        kills += 1
        siege.check(*files)
        server = Process(tmp_path, url)
    try:
        for name in siege.names:
            with at_the_code(server, name) as client:
                assert client is not None
                last = max(siege.acknowledged[name])
                refused = client.post("/airlock-2fa/otp/check/", json={"otp": hotp(KEY, last, 6)})
                assert code_of(refused) == "OTP_WRONG"
        assert server.admin("GET", "/audit/verify").json()["data"]["attributes"]["intact"] is True
    finally:
        server.kill()


@pytest.mark.needs("pg_ctl")
@pytest.mark.timeout(300)
def test_the_database_may_be_killed_too(tmp_path: Path) -> None:
    """PostgreSQL is ended at once while users log in, and recovers; the server says 503 meanwhile, and goes on."""
    chance = random.Random(7)  # noqa: S311 - moments of a test
    with running_postgresql() as cluster:
        url = new_database(cluster.url, "siege")
        server = Process(tmp_path, url)
        try:
            siege = besieged(server)
            for _ in range(3):
                siege.walk(server, cluster.crash, chance.randint(USERS, 60))
                siege.check(url, url)
            assert siege.total == 3 * LOGINS // USERS * USERS
        finally:
            server.kill()


def test_a_user_that_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    """Users, tokens, badges and FIDO registrations are committed before they are answered."""
    server = Process(tmp_path)
    assert server.admin("POST", "/users", {"username": "alice", "password": PASSWORD}).status_code == 201
    token = {"serial": "QT-1", "seedHex": SEED.hex(), "displayName": "x"}
    assert server.admin("POST", "/users/alice/qr-tokens", token).status_code == 201
    assert server.admin("POST", "/users/alice/badges", {"kind": "secure"}).status_code == 201
    server.kill()
    server = Process(tmp_path)
    try:
        user = server.admin("GET", "/users/alice").json()["data"]["attributes"]
        assert (len(user["qrTokens"]), len(user["badges"])) == (1, 1)
    finally:
        server.kill()
