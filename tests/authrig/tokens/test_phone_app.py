"""The app on a phone against the real server: enrolled with a code, asked at a login, approved with one touch."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from authrig.cli import main
from authrig.keys.wires import Listen
from authrig.pictures import print_code
from authrig.tokens.running import RunOptions, open_line
from authrig.tokens.token_file import TokenFile
from server_stub.run import run_server
from server_stub.settings import Settings
from tests.server_stub.world import CHEAP, MovableClock, Person, World, next_of

PIN = "2749"
POLL = "/airlock-2fa/status/poll/"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("server") / "data", argon2=CHEAP)
    with run_server(settings) as server, ExitStack() as stack:
        yield World(server, MovableClock(), stack)


class Phone:
    """Someone's phone, used by commands."""

    def __init__(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.file = str(file)
        self._capsys = capsys

    def __call__(self, action: str, *more: str) -> dict[str, Any]:
        """What a command says."""
        self._capsys.readouterr()
        assert main(["token", action, self.file, *more, "--json"]) == 0
        return dict(json.loads(self._capsys.readouterr().out))

    def refused(self, action: str, *more: str) -> str:
        """The sentence with which a command refuses."""
        assert main(["token", action, self.file, *more]) == 2
        return self._capsys.readouterr().err

    def confirm(self) -> dict[str, Any]:
        """Read on, and confirm."""
        shown = self("press", "ok")
        while shown["state"] == "review":
            shown = self("press", "ok")
        return shown


def new_code(world: World, person: Person) -> str:
    """What the QR code of an enrolment says."""
    response = world.admin.post(f"/admin/rest/users/{person.name}/app-enrollments", json={})
    return str(response.json()["data"]["attributes"]["content"])


@pytest.fixture
def person(world: World) -> Person:
    """The phone's owner."""
    return world.person()


@pytest.fixture
def phone(world: World, person: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Phone:
    """Enrolled, signed in, online."""
    phone = Phone(tmp_path / "phone.token", capsys)
    main(["token", "new", phone.file, "--profile", "phone-app"])
    capsys.readouterr()
    state = phone("activate", "--app", world.server.cloud_url, "--code", new_code(world, person))
    assert (state["activated"], state["server"]) == (True, world.server.cloud_url)
    phone("power", "on")
    phone("type", PIN)
    phone("type", PIN)
    assert phone("press", "ok")["state"] == "idle"
    return phone


def test_one_touch_completes_the_login(world: World, person: Person, phone: Phone) -> None:
    """The server asks, the app fetches and shows what, its user approves; no code is typed anywhere."""
    browser = world.browser()
    browser.access("portal")
    assert next_of(browser.password(person.name)) == "AIRLOCK_2FA_POLLING_OR_OFFLINE_REQUIRED"
    assert next_of(browser.post(POLL)) == "AIRLOCK_2FA_POLLING_OR_OFFLINE_REQUIRED"
    shown = phone("screen")
    assert shown["state"] == "review"
    assert shown["lines"][0].startswith("Approve?")
    assert phone.confirm()["lines"] == ["Push", "It is approved."]
    assert next_of(browser.post(POLL)) is None
    assert browser.session().status_code == 200


def test_refusing_ends_the_login(world: World, person: Person, phone: Phone) -> None:
    """As it was somebody else's."""
    browser = world.browser()
    browser.access("portal")
    browser.password(person.name)
    browser.post(POLL)
    assert phone("screen")["state"] == "review"
    assert phone("press", "cancel")["lines"] == ["Push", "It is refused."]
    assert browser.post(POLL).status_code == 403


def test_waiting_for_a_push(world: World, person: Person, phone: Phone) -> None:
    """A script waits until the screen changes, and is told by the exit code where it did not."""
    assert main(["token", "wait", phone.file, "--seconds", "0.3"]) == 1
    browser = world.browser()
    browser.access("portal")
    browser.password(person.name)
    asked = threading.Timer(0.5, browser.post, (POLL,))
    asked.start()
    assert main(["token", "wait", phone.file, "--seconds", "60"]) == 0
    asked.join()
    assert phone("screen")["state"] == "review"


def test_offline_it_scans_instead(world: World, person: Person, phone: Phone, tmp_path: Path) -> None:
    """It fetches nothing; the code for the QR code completes the login."""
    assert "Offline" in phone("network", "offline")["lines"]
    browser = world.browser()
    browser.access("portal")
    browser.password(person.name)
    browser.post(POLL)
    assert phone("screen")["state"] == "idle"
    picture = tmp_path / "qr.png"
    picture.write_bytes(print_code(browser.qr()))
    assert phone("scan", str(picture))["state"] == "review"
    code = phone.confirm()["lines"][1].replace(" ", "")
    assert next_of(browser.otp(code)) is None


def test_a_running_app_fetches_by_itself(world: World, person: Person, phone: Phone, tmp_path: Path) -> None:
    """Its console shows the push soon after the server asked; nobody pressed anything."""
    with ExitStack() as opened:
        line = open_line(RunOptions(Path(phone.file), transport="tcp", listen=Listen()), opened)

        def ask(**request: object) -> dict[str, Any]:
            with line.using() as core:
                return dict(json.loads(core.ask(json.dumps(request).encode())))

        for key in (*PIN, "ok"):
            ask(cmd="press", button=key)
        browser = world.browser()
        browser.access("portal")
        browser.password(person.name)
        browser.post(POLL)
        while (shown := ask(cmd="screen"))["state"] != "review":
            assert shown["state"] == "idle"
        while ask(cmd="screen")["state"] == "review":
            ask(cmd="press", button="ok")
        while (shown := ask(cmd="screen"))["state"] == "waiting":
            pass
        assert shown["lines"] == ["Push", "It is approved."]
        assert next_of(browser.post(POLL)) is None


def test_an_erased_app_answers_no_pushes(world: World, person: Person, phone: Phone) -> None:
    """With its seed the account has gone, also where another seed follows."""
    phone("press", "hold:ok")
    while phone("screen")["lines"][1] != "Erase all":
        phone("press", "cancel")
    phone("press", "ok")
    phone("type", "9999")
    assert phone("state")["server"] is None
    with TokenFile.open(Path(phone.file)) as file:
        memory = file.memory()
        memory.provision(memory.serial or "", bytes(32))
        assert file.kept.app is not None
        assert file.app(memory) is None


def test_a_code_that_is_wrong_or_used_enrols_nothing(
    world: World, person: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server's own sentence; a server that is not there; a model without a network; one that is enrolled."""
    phone = Phone(tmp_path / "phone.token", capsys)
    main(["token", "new", phone.file, "--profile", "phone-app"])
    url, code = world.server.cloud_url, new_code(world, person)
    capsys.readouterr()
    assert "wrong, was used" in phone.refused("activate", "--app", url, "--code", "0" * 16)
    assert "127.0.0.1:1" in phone.refused("activate", "--app", "http://127.0.0.1:1", "--code", code)
    assert "https" in phone.refused("activate", "--app", "http://example.ch", "--code", code)
    assert "--code" in phone.refused("activate", "--app", url)
    assert not phone("state")["activated"]
    picture = tmp_path / "enrolment.png"
    picture.write_bytes(print_code(code))
    phone("activate", str(picture), "--app", url)
    assert "not activated yet" in phone.refused("activate", "--app", url, "--code", new_code(world, person))
    reader = Phone(tmp_path / "reader.token", capsys)
    main(["token", "new", reader.file])
    capsys.readouterr()
    assert "phone-app" in reader.refused("activate", "--app", url, "--code", code)
    assert "phone-app" in reader.refused("network", "online")
