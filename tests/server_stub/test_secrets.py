"""What must never be found where nobody expects it: in logs, and in what is stored."""

import base64
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from server_stub.cloud.store import metadata as cloud_tables
from server_stub.run import run_server
from server_stub.settings import Settings
from server_stub.store.iam import metadata as iam_tables
from tests.server_stub.soft_key import SoftKey
from tests.server_stub.world import PASSWORD, SEED, MovableClock, World

CLIENTS = {"httpx", "httpcore"}
"""The test's own browser, which logs the cookies that it gets."""
WRONG_PASSWORD = "a password that was mistyped"


def everything_kept(settings: Settings) -> bytes:
    """What is in the databases, as somebody who has stolen them reads it."""
    if not settings.database_url:
        return b"".join(path.read_bytes() for path in settings.data_dir.iterdir() if ".sqlite3" in path.name)
    values: list[Any] = []
    with psycopg.connect(settings.database_url) as connection:
        for schema, tables in (("iam", iam_tables), ("cloud", cloud_tables)):
            for name in tables.tables:
                query = psycopg.sql.SQL("SELECT * FROM {}").format(psycopg.sql.Identifier(schema, name))
                values += [value for row in connection.execute(query) for value in row]
    return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


@pytest.fixture
def own_world(settings: Settings, caplog: pytest.LogCaptureFixture) -> Iterator[World]:
    """A server of the test's own, at the most talkative log level: its files are read afterwards."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "sqlalchemy")
    with run_server(settings) as server, ExitStack() as stack:
        yield World(server, MovableClock(), stack)


def test_secrets_are_in_no_log_and_in_no_file_in_the_clear(own_world: World, caplog: pytest.LogCaptureFixture) -> None:
    """After a life with every factor."""
    browser, person, device = own_world.at_the_qr_code()
    code = device.code(browser.qr())
    browser.otp(code)
    cookie = browser.client.cookies["authrig_session"]
    badge = own_world.admin.post(f"/admin/rest/users/{person.name}/badges", json={"kind": "secure"}).json()
    content = badge["data"]["attributes"]["content"]
    office = own_world.browser()
    office.access("office")
    office.password(person.name, WRONG_PASSWORD)
    office.post("/badge/check/", {"badge": base64.b64encode(content.encode()).decode()})
    options = office.client.post(
        "/auth/rest/protected/self-service/fido/registration/challenge/retrieve/", json={"displayName": "x"}
    ).json()["data"]["attributes"]["publicKey"]
    credential = SoftKey(own_world.server.origin).create(options)
    office.client.post("/auth/rest/protected/self-service/fido/registration/check/", json={"credential": credential})

    secrets = {
        "password": PASSWORD,
        "mistyped password": WRONG_PASSWORD,
        "seed in hex": SEED.hex(),
        "seed in base64": base64.b64encode(SEED).decode(),
        "seed": SEED.decode("latin-1"),
        "cookie": cookie,
        "badge": content,
        "admin token": own_world.server.admin_token,
        "code": code,
    }
    ours = [record for record in caplog.records if record.name.partition(".")[0] not in CLIENTS]
    logs = repr([(record.getMessage(), record.__dict__) for record in ours])
    assert [name for name, secret in secrets.items() if secret in logs] == []
    assert {"server_stub", "sqlalchemy"} <= {record.name.partition(".")[0] for record in ours}
    kept = everything_kept(own_world.server.settings).decode("latin-1")
    assert "QT1-" in kept
    assert [name for name, secret in secrets.items() if secret in kept] == []
    assert own_world.server.admin_token not in repr(own_world.server)


def test_every_file_is_for_its_owner_only(own_world: World) -> None:
    """And so is every database, and the folder."""
    folder = own_world.server.settings.data_dir
    modes = {path.name: path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())}
    assert len(modes) >= 6
    assert set(modes.values()) == {0}
