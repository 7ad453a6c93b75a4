"""An enrolled app asks for its pushes over HTTP and answers them, signed with a key of its own."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from server_stub.api.routes import APPROVAL_ROUTES, PUBLIC_ROUTES
from server_stub.cloud.signing import Credentials, Signed, sign
from tests.server_stub.world import NO_TLS, Browser, Person, World, code_of, next_of


@dataclass(frozen=True)
class App:
    """What an app keeps of its enrolment."""

    world: World
    device_id: str
    key: bytes = field(repr=False)

    def post(self, path: str, body: object = None, *, key: bytes | None = None, late: float = 0) -> httpx.Response:
        """A signed POST below this app's own path."""
        base = self.world.server.cloud_url
        target = f"/srv/app/v1/devices/{self.device_id}{path}"
        data = b"" if body is None else json.dumps(body).encode()
        now = self.world.clock.time() - late
        signed = sign(
            Credentials(self.device_id, key or self.key), Signed("POST", urlsplit(base).netloc, target, data), now
        )
        return httpx.post(
            base + target, content=data, headers={"Content-Type": "application/json", **signed}, verify=NO_TLS
        )

    def waiting(self) -> list[dict[str, Any]]:
        """What it shows."""
        response = self.post("/push-requests")
        assert response.status_code == 200, response.text
        requests: list[dict[str, Any]] = response.json()["requests"]
        return requests

    def answer(self, push_id: str, answer: str) -> httpx.Response:
        """Press a button."""
        return self.post(f"/push-requests/{push_id}/answer", {"answer": answer})


def enrolled(world: World, person: Person, serial: str) -> App:
    """An app of ``person``."""
    made = world.admin.post(f"/admin/rest/users/{person.name}/app-enrollments", json={}).json()["data"]["attributes"]
    body = {"activation_code": made["content"].rpartition("/")[2], "serial": serial, "display_name": "Phone"}
    kept = httpx.post(f"{world.server.cloud_url}/srv/app/v1/enroll", json=body, verify=NO_TLS).json()
    return App(world, kept["device_id"], bytes.fromhex(kept["request_key_hex"]))


def asked(world: World, person: Person) -> Browser:
    """A login that waits for the app."""
    browser = world.browser()
    browser.access("portal")
    browser.password(person.name)
    browser.post("/airlock-2fa/status/poll/")
    return browser


def test_an_app_fetches_what_it_is_asked_and_approves_it(world: World) -> None:
    """The login goes on, and the push is over for everyone."""
    person = world.person()
    app = enrolled(world, person, "APP-PUSH-1")
    assert app.waiting() == []
    browser = asked(world, person)
    [shown] = app.waiting()
    assert shown["device_id"] == app.device_id
    assert app.answer(shown["session_id"], "approve").json()["status"] == "approved"
    assert app.waiting() == []
    assert app.answer(shown["session_id"], "deny").status_code == 409
    assert next_of(browser.post("/airlock-2fa/status/poll/")) is None


def test_an_app_sees_and_answers_only_its_own(world: World) -> None:
    """Another app's push is as if it were not there, and another app's key opens nothing."""
    person = world.person()
    app, other = enrolled(world, person, "APP-PUSH-2"), enrolled(world, world.person(), "APP-PUSH-3")
    asked(world, person)
    [shown] = app.waiting()
    assert other.waiting() == []
    assert other.answer(shown["session_id"], "approve").status_code == 409
    assert app.post("/push-requests", key=other.key).status_code == 401
    assert app.waiting() == [shown]


@pytest.mark.parametrize("late", [301, -301])
def test_an_old_request_is_refused(world: World, late: float) -> None:
    """As everywhere in the cloud."""
    app = enrolled(world, world.person(), f"APP-LATE{late}")
    assert app.post("/push-requests", late=late).status_code == 401


def test_a_suspended_app_neither_sees_nor_answers(world: World) -> None:
    """Until it is active again."""
    person = world.person()
    app = enrolled(world, person, "APP-PUSH-4")
    asked(world, person)
    [shown] = app.waiting()
    path = f"/admin/rest/tokens/{app.device_id}/state"
    assert world.admin.put(path, json={"state": "suspended"}).status_code == 200
    assert app.waiting() == []
    assert app.answer(shown["session_id"], "approve").status_code == 409
    world.admin.put(path, json={"state": "active"})
    assert app.waiting() == [shown]


@pytest.mark.parametrize("lost", ["suspended before the answer", "suspended", "unassigned"])
def test_no_answer_of_an_app_that_is_no_longer_trusted_logs_anybody_in(world: World, lost: str) -> None:
    """An administrator has heard that the phone is stolen: neither its buttons nor the approval it has given count."""
    person = world.person()
    app = enrolled(world, person, f"APP-LOST-{person.name}")
    browser = asked(world, person)
    [shown] = app.waiting()
    pushes = f"/admin/rest/users/{person.name}/push-requests"
    button = f"/admin/rest/push-requests/{shown['session_id']}/answer"
    if lost == "suspended before the answer":
        world.admin.put(f"/admin/rest/tokens/{app.device_id}/state", json={"state": "suspended"})
        assert world.admin.get(pushes).json()["data"] == []
        assert world.admin.post(button, json={"answer": "approve"}).status_code == 409
        assert next_of(browser.post("/airlock-2fa/status/poll/")) == "AIRLOCK_2FA_POLLING_OR_OFFLINE_REQUIRED"
        return
    assert world.admin.post(button, json={"answer": "approve"}).status_code == 200
    if lost == "suspended":
        world.admin.put(f"/admin/rest/tokens/{app.device_id}/state", json={"state": "suspended"})
    else:
        world.admin.delete(f"/admin/rest/users/{person.name}/tokens/{app.device_id}")
    refused = browser.post("/airlock-2fa/status/poll/")
    assert (refused.status_code, code_of(refused)) == (400, "AIRLOCK_2FA_TIMEOUT")
    world.admin.put(f"/admin/rest/tokens/{app.device_id}/state", json={"state": "active"})
    world.admin.put(f"/admin/rest/users/{person.name}/tokens/{app.device_id}")
    assert browser.session().status_code == 401


def test_an_app_that_is_gone_before_it_is_asked_answers_as_the_description_says(world: World) -> None:
    """The login stays where it was: another device can be chosen."""
    person = world.person()
    app = enrolled(world, person, f"APP-GONE-{person.name}")
    browser = world.browser()
    browser.access("portal")
    browser.password(person.name)
    world.admin.delete(f"/admin/rest/users/{person.name}/tokens/{app.device_id}")
    refused = browser.post("/airlock-2fa/status/poll/")
    assert (refused.status_code, next_of(refused)) == (404, "AIRLOCK_2FA_POLLING_OR_OFFLINE_REQUIRED")
    polls = [row for row in (*PUBLIC_ROUTES, *APPROVAL_ROUTES) if row.path.endswith("/status/poll")]
    assert [code_of(refused) in row.errors for row in polls] == [True, True]
