"""What a SIGKILL of the real server process, at any instruction, may and may not lose."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from server_stub.audit import AuditLog
from server_stub.cloud.hotp import hotp
from server_stub.cloud.store import audit as cloud_audit
from server_stub.cloud.store import metadata as cloud_tables
from server_stub.store.database import Database
from server_stub.store.iam import audit as iam_audit
from server_stub.store.iam import metadata as iam_tables
from tests.server_stub.world import NO_TLS, PASSWORD, PUBLIC, SEED

KEY = bytes(range(20))
LOGINS = 200
USERS = 8
SERVE = """
import json, sys
from pathlib import Path
from server_stub.run import serve
from server_stub.settings import Argon2Cost, Settings

def tell(server):
    print(json.dumps([server.public_url, server.internal_url, server.admin_token]), flush=True)

serve(Settings(data_dir=Path(sys.argv[1]), argon2=Argon2Cost(64, 1), address_failure_limit=10**6), tell)
"""


class Process:
    """The server, as its users have it."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen([sys.executable, "-c", SERVE, str(folder)], stdout=subprocess.PIPE, text=True)
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
    """One user with a counting token who logs in again and again, and writes down what was acknowledged."""

    def __init__(self, server: Process, name: str, factor: int) -> None:
        super().__init__()
        self._server, self._name, self._first = server, name, factor
        self.accepted: list[int] = []
        self.tried = factor
        self.done = 0

    def run(self) -> None:
        """Until the server is gone."""
        try:
            while self.done < LOGINS // USERS:
                self._log_in()
        except httpx.HTTPError:
            return

    def _log_in(self) -> None:
        with httpx.Client(base_url=self._server.public + PUBLIC, verify=NO_TLS) as client:
            client.headers["X-Same-Domain"] = "1"
            client.post("/applications/portal/access/")
            assert (
                client.post("/password/check/", json={"username": self._name, "password": PASSWORD}).status_code == 200
            )
            factor, self.tried = self.tried, self.tried + 1
            answer = client.post("/airlock-2fa/otp/check/", json={"otp": hotp(KEY, factor, 6)})
            assert answer.status_code == 200, answer.text
            self.accepted.append(factor)
            self.done += 1


def verdict(path: Path, tables: object, log: AuditLog) -> int | None:
    """Where the audit chain breaks, if it does."""
    database = Database(path, tables)  # type: ignore[arg-type] # one of the two
    try:
        return database.run_now(log.verify)
    finally:
        database.close()


def logins(folder: Path) -> int:
    """How many logins the audit log has."""
    with closing(sqlite3.connect(folder / "iam.sqlite3")) as file:
        return int(file.execute("SELECT count(*) FROM audit WHERE event = 'login'").fetchone()[0])


@pytest.mark.timeout(100)
def test_nothing_acknowledged_is_lost_and_no_code_is_accepted_twice(tmp_path: Path) -> None:
    """Killed again and again during 200 logins of eight users; each code that was accepted is refused afterwards."""
    chance = random.Random(7)  # noqa: S311 - moments of a test
    names = [f"walker{number}" for number in range(USERS)]
    server = Process(tmp_path)
    for number, name in enumerate(names):
        server.admin("POST", "/users", {"username": name, "password": PASSWORD})
        body = {"kind": "hotp", "serial": f"OTP-{number}", "seedHex": KEY.hex(), "displayName": "x"}
        assert server.admin("POST", f"/users/{name}/tokens", body).status_code == 201
    tried, acknowledged, total = dict.fromkeys(names, 0), {name: set[int]() for name in names}, 0
    kills = 0
    while total < LOGINS:
        walkers = [Walker(server, name, tried[name]) for name in names]
        for walker in walkers:
            walker.start()
        time.sleep(chance.uniform(0.3, 2.0))
        server.kill()
        kills += 1
        for name, walker in zip(names, walkers, strict=True):
            walker.join()
            assert not acknowledged[name] & set(walker.accepted), "a code was accepted twice"
            acknowledged[name] |= set(walker.accepted)
            tried[name], total = walker.tried, total + walker.done
        assert verdict(tmp_path / "iam.sqlite3", iam_tables, iam_audit) is None
        assert verdict(tmp_path / "cloud.sqlite3", cloud_tables, cloud_audit) is None
        assert logins(tmp_path) >= total
        server = Process(tmp_path)
    with ExitStack() as stack:
        stack.callback(server.kill)
        assert kills >= 2
        for name in names:
            with httpx.Client(base_url=server.public + PUBLIC, verify=NO_TLS) as client:
                client.headers["X-Same-Domain"] = "1"
                client.post("/applications/portal/access/")
                client.post("/password/check/", json={"username": name, "password": PASSWORD})
                last = max(acknowledged[name])
                refused = client.post("/airlock-2fa/otp/check/", json={"otp": hotp(KEY, last, 6)})
                assert refused.json()["errors"][0]["code"] == "OTP_WRONG"
        assert server.admin("GET", "/audit/verify").json()["data"]["attributes"]["intact"] is True


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
