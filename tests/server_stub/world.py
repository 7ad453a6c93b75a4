"""The people and devices that use the server under test, all over real HTTP."""

import itertools
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from offline_qr.otq1 import Challenge, compute_code, decode, derive_keys
from server_stub.run import RunningServer, run_server
from server_stub.settings import Argon2Cost, Settings

PUBLIC = "/auth/rest/public/authentication"
APPROVAL = "/transaction-approval/rest/transaction-approval"
PASSWORD = "correct horse battery staple"
SEED = bytes(range(32))
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Everything here is plain HTTP; reading the machine's root certificates for each client would take most of the time."""
CHEAP = Argon2Cost(memory_kib=64, iterations=1)


class MovableClock:
    """The machine's clock, and what tests have added to it."""

    def __init__(self) -> None:
        self.offset = 0.0

    def time(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once."""
        self.offset += seconds


@dataclass(frozen=True)
class Device:
    """What a hardware token would do, without one."""

    id: str
    serial: str

    def read(self, content: str) -> Challenge:
        """The challenge in a QR code."""
        return decode(content, derive_keys(self.serial, SEED), self.serial)

    def code(self, content: str) -> str:
        """The code for a QR code."""
        return compute_code(self.read(content), derive_keys(self.serial, SEED))


@dataclass(frozen=True)
class Person:
    """A user; ``name`` is unlike any other's."""

    name: str
    id: str


def off_by_one(code: str) -> str:
    """``code`` with its last digit another one."""
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def code_of(response: httpx.Response) -> str:
    """The error code of a refusal."""
    return str(response.json()["errors"][0]["code"])


def next_of(response: httpx.Response) -> Any:
    """The next step, from a good answer or a refusal."""
    document = response.json()
    where = document["data"]["attributes"] if "data" in document else document["meta"]
    return where["nextAuthStep"]


class Browser:
    """One browser in front of the public interface: it keeps cookies."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def post(self, path: str, body: object = None) -> httpx.Response:
        """POST under /public/authentication."""
        return self.client.post(PUBLIC + path, json={} if body is None else body)

    def access(self, application: str) -> httpx.Response:
        """Ask for an application."""
        return self.post(f"/applications/{application}/access/")

    def password(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """Type name and password."""
        return self.post("/password/check/", {"username": name, "password": password})

    def qr(self, **body: object) -> str:
        """Ask for a QR code: its text."""
        response = self.post("/airlock-2fa/offline-qr-code/retrieve/", {"image": False, **body})
        assert response.status_code == 200, response.text
        return str(response.json()["data"]["attributes"]["content"])

    def otp(self, code: str) -> httpx.Response:
        """Type a code."""
        return self.post("/airlock-2fa/otp/check/", {"otp": code})

    def session(self) -> httpx.Response:
        """Who am I?"""
        return self.client.get("/auth/rest/protected/session/")


class World:
    """A server and its administrator."""

    def __init__(self, server: RunningServer, clock: MovableClock, stack: ExitStack) -> None:
        self.server = server
        self.clock = clock
        self._stack = stack
        self._names = itertools.count(1)
        self.admin = stack.enter_context(
            httpx.Client(
                verify=NO_TLS, base_url=server.internal_url, headers={"Authorization": f"Bearer {server.admin_token}"}
            )
        )

    def browser(self) -> Browser:
        """A browser that has never been here."""
        client = httpx.Client(verify=NO_TLS, base_url=self.server.public_url, headers={"X-Same-Domain": "1"})
        return Browser(self._stack.enter_context(client))

    def internal(self) -> httpx.Client:
        """A business application beside the server."""
        return self._stack.enter_context(
            httpx.Client(verify=NO_TLS, base_url=self.server.internal_url, headers={"X-Same-Domain": "1"})
        )

    def person(self) -> Person:
        """A user whom no other test touches."""
        name = f"user{next(self._names)}"
        response = self.admin.post("/admin/rest/users", json={"username": name, "password": PASSWORD})
        assert response.status_code == 201, response.text
        return Person(name, response.json()["data"]["id"])

    def device(self, person: Person) -> Device:
        """A token for ``person``."""
        serial = f"QT1-{next(self._names):08}"
        body = {"serial": serial, "seedHex": SEED.hex(), "displayName": f"Token {serial}"}
        response = self.admin.post(f"/admin/rest/users/{person.name}/qr-tokens", json=body)
        assert response.status_code == 201, response.text
        return Device(response.json()["data"]["id"], serial)

    def device_of(self, person: Person, kind: str, seed_hex: str, **more: Any) -> Device:
        """A token of any kind for ``person``."""
        serial = f"{kind.upper()}-{next(self._names):08}"
        body = {"kind": kind, "serial": serial, "seedHex": seed_hex, "displayName": f"Token {serial}", **more}
        response = self.admin.post(f"/admin/rest/users/{person.name}/tokens", json=body)
        assert response.status_code == 201, response.text
        return Device(response.json()["data"]["id"], serial)

    def at_the_qr_code(self) -> tuple[Browser, Person, Device]:
        """Someone with one token who has passed the password."""
        person, browser = self.person(), self.browser()
        device = self.device(person)
        browser.access("ebanking")
        assert browser.password(person.name).status_code == 200
        return browser, person, device

    def audit(self) -> list[dict[str, Any]]:
        """The IAM's audit log."""
        entries: list[dict[str, Any]] = []
        while True:
            after = entries[-1]["sequence"] if entries else 0
            page = self.admin.get("/admin/rest/audit", params={"after": after}).json()["data"]
            if not page:
                return entries
            entries += [row["attributes"] for row in page]


@contextmanager
def own_world(settings: Settings, **changes: Any) -> Iterator[World]:
    """A server of a test's own, with ``changes`` to its settings and a clock that only the test moves."""
    clock = MovableClock()
    with run_server(replace(settings, time=clock.time, **changes)) as server, ExitStack() as stack:
        yield World(server, clock, stack)
