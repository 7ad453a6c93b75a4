"""Several processes on one PostgreSQL, as ``authrig serve`` starts them."""

import concurrent.futures
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from offline_qr.otq1 import compute_code, decode, derive_keys
from server_stub.cloud.hotp import hotp
from server_stub.errors import ServerError
from server_stub.run import serve
from server_stub.settings import Settings
from tests.server_stub.world import NO_TLS, PASSWORD, PUBLIC, SEED

AUTHRIG = str(Path(sys.executable).with_name("authrig"))
KEY = bytes(range(20))
CONFIG = """
database_url = "{url}"
workers = 2
address_failure_limit = 100000
[argon2]
memory_kib = 64
iterations = 1
"""


@dataclass(frozen=True)
class Running:
    """A server of two workers."""

    public: str
    internal: str
    token: str
    process: subprocess.Popen[str]

    def admin(self, path: str, body: object) -> httpx.Response:
        """A call of the administration, which must work."""
        headers = {"Authorization": f"Bearer {self.token}"}
        response = httpx.post(
            f"{self.internal}/admin/rest{path}", json=body, headers=headers, verify=NO_TLS, timeout=30
        )
        assert response.status_code < 300, response.text
        return response

    def post(self, path: str, cookies: dict[str, str], body: object = None) -> httpx.Response:
        """A call on a connection of its own, so that any worker may get it; ``cookies`` is kept up to date."""
        headers = {"X-Same-Domain": "1", "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        sent = {} if body is None else body
        response = httpx.post(self.public + PUBLIC + path, json=sent, headers=headers, verify=NO_TLS, timeout=30)
        cookies.update(response.cookies)
        return response

    def workers(self) -> list[int]:
        """Their process ids."""
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", "spawn_main"], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]


@contextmanager
def running(url: str, folder: Path) -> Iterator[Running]:
    """Started by the command line."""
    folder.mkdir()
    (folder / "server.toml").write_text(CONFIG.format(url=url))
    free = ["--port", "0", "--internal-port", "0", "--cloud-port", "0"]
    command = [AUTHRIG, "serve", "--data", str(folder), "--config", str(folder / "server.toml"), *free]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        found = re.findall(r"(http://\S+:\d+|[0-9a-f]{64})", "".join(lines))
        assert len(found) == 4, lines
        try:
            yield Running(found[0], found[1], found[3], process)
        finally:
            process.terminate()
            process.communicate(timeout=30)


@pytest.mark.needs("pg_ctl", "pgrep")
def test_workers_answer_as_one(postgresql_url: str, tmp_path: Path) -> None:
    """Sessions, challenges, counters and locks are the same whoever answers; a code is accepted by one of them once."""
    with running(postgresql_url, tmp_path / "data") as server:
        assert len(server.workers()) == 2
        server.admin("/users", {"username": "alice", "password": PASSWORD})
        serial, keys = "QT1-00000001", derive_keys("QT1-00000001", SEED)
        server.admin("/users/alice/qr-tokens", {"serial": serial, "seedHex": SEED.hex(), "displayName": "x"})
        for _ in range(4):
            cookies: dict[str, str] = {}
            server.post("/applications/ebanking/access/", cookies)
            server.post("/password/check/", cookies, {"username": "alice", "password": PASSWORD})
            answer = server.post("/airlock-2fa/offline-qr-code/retrieve/", cookies, {"image": False})
            content = answer.json()["data"]["attributes"]["content"]
            code = compute_code(decode(content, keys, serial), keys)
            with concurrent.futures.ThreadPoolExecutor(16) as many:
                tried = [
                    many.submit(server.post, "/airlock-2fa/otp/check/", dict(cookies), {"otp": code}) for _ in range(16)
                ]
                answers = [each.result().status_code for each in tried]
            assert answers.count(200) == 1, answers
            assert set(answers) <= {200, 400, 401, 403}  # used, moved on, locked while many are judged
        told = {httpx.get(f"{server.internal}/metrics", verify=NO_TLS).text for _ in range(6)}
        assert len(told) == 1, "whichever worker is asked"
        assert 'authrig_iam_events_total{event="login",outcome="authenticated"} 4\n' in told.pop()
        server.admin("/users", {"username": "bob", "password": PASSWORD})
        body = {"kind": "hotp", "serial": "OTP-1", "seedHex": KEY.hex(), "displayName": "x"}
        server.admin("/users/bob/tokens", body)
        cookies = {}
        server.post("/applications/portal/access/", cookies)
        server.post("/password/check/", cookies, {"username": "bob", "password": PASSWORD})
        codes = [
            server.post("/airlock-2fa/otp/check/", cookies, {"otp": "000000"}).json()["errors"][0]["code"]
            for _ in range(6)
        ]
        assert codes == ["OTP_WRONG"] * 5 + ["USER_TEMPORARILY_LOCKED"]
        right = server.post("/airlock-2fa/otp/check/", cookies, {"otp": hotp(KEY, 0, 6)})
        assert right.json()["errors"][0]["code"] == "USER_TEMPORARILY_LOCKED"
    assert server.process.returncode == 0


@pytest.mark.needs("pg_ctl", "pgrep")
def test_a_worker_that_dies_ends_the_server_in_a_sentence(postgresql_url: str, tmp_path: Path) -> None:
    """Whoever started it learns of it; no other worker is left behind."""
    with running(postgresql_url, tmp_path / "data") as server:
        first, second = server.workers()
        os.kill(first, signal.SIGKILL)
        _, errors = server.process.communicate(timeout=30)
        assert server.process.returncode == 2
        assert "a worker ended by itself, with exit code -9" in errors
        assert not Path(f"/proc/{second}").exists()


def test_workers_are_refused_on_sqlite(file_settings: Settings) -> None:
    """One writer at a time: they would only wait for each other."""
    several = Settings(data_dir=file_settings.data_dir, workers=2)
    with pytest.raises(ServerError, match="2 workers need PostgreSQL: set database_url"):
        serve(several)
