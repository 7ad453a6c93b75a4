import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server_stub.errors import ServerError
from server_stub.run import run_server
from server_stub.settings import Settings
from tests.server_stub.test_jose import sign
from tests.server_stub.world import Browser, World, code_of, next_of, own_world

REMEMBERED = "/auth/rest/protected/self-service/remembered-devices"


def at_the_kiosk(world: World) -> Browser:
    """Somebody in front of the kiosk."""
    browser = world.browser()
    assert browser.access("kiosk").json()["meta"]["allowedFirstSteps"] == ["USERNAME", "DEVICE_TOKEN", "SSO_TICKET"]
    return browser


def say(browser: Browser, name: str) -> httpx.Response:
    """Type a name."""
    return browser.post("/username/check/", {"username": name})


def remembered(world: World, name: str) -> Browser:
    """A browser that is remembered, and logged out."""
    browser = world.browser()
    browser.access("self-service")
    browser.password(name)
    made = browser.client.post(REMEMBERED, json={"displayName": "Desk"})
    assert made.status_code == 201, made.text
    browser.client.post("/auth/rest/protected/session/logout")
    return browser


def test_a_name_is_proven_by_the_token(world: World) -> None:
    """No password is typed; the token shows the name."""
    person, browser = world.person(), at_the_kiosk(world)
    device = world.device(person)
    assert next_of(say(browser, person.name)) == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
    assert browser.session().status_code == 401
    assert next_of(browser.otp(device.code(browser.qr()))) is None
    steps = browser.session().json()["data"]["attributes"]["steps"]
    assert [step["method"] for step in steps] == ["USERNAME", "OFFLINE_QR"]


def test_a_name_that_nobody_has_looks_like_one_without_a_token(world: World) -> None:
    """Step by step the same answers, and never a session."""
    answers = []
    for name in (world.person().name, "nobody-at-all"):
        browser = at_the_kiosk(world)
        said = say(browser, name)
        calls = [
            browser.post("/airlock-2fa/devices/retrieve/"),
            browser.post("/airlock-2fa/devices/x/select/"),
            browser.post("/airlock-2fa/offline-qr-code/retrieve/"),
            browser.otp("12345678"),
            browser.post("/fido/challenge/retrieve/"),
            browser.password(name),
            browser.session(),
        ]
        told = [json.loads(call.text).get("errors", [{}])[0].get("detail") for call in calls]
        answers.append((next_of(said), [call.status_code for call in calls], told))
    assert answers[0] == answers[1]
    assert answers[0][0] == "AIRLOCK_2FA_DEVICE_CHOICE_REQUIRED"


def test_a_remembered_device_says_who_begins(world: World) -> None:
    """The second step is asked for all the same."""
    person = world.person()
    device, browser = world.device(person), remembered(world, person.name)
    browser.access("kiosk")
    begun = browser.post("/device-token/check/")
    assert next_of(begun) == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
    assert next_of(browser.otp(device.code(browser.qr()))) is None
    stranger = at_the_kiosk(world)
    assert code_of(stranger.post("/device-token/check/")) == "DEVICE_NOT_REMEMBERED"


@pytest.mark.parametrize("how", ["forgotten", "password", "expired"])
def test_a_device_is_remembered_no_longer(world: World, how: str) -> None:
    """When its user says so, after a new password, after thirty days."""
    person = world.person()
    browser = remembered(world, person.name)
    if how == "forgotten":
        other = world.browser()
        other.access("self-service")
        other.password(person.name)
        [device] = other.client.get(REMEMBERED).json()["data"]
        assert device["attributes"]["displayName"] == "Desk"
        thief = world.browser()
        thief.access("self-service")
        thief.password(world.person().name)
        assert code_of(thief.client.delete(f"{REMEMBERED}/{device['id']}")) == "DEVICE_UNKNOWN"
        assert other.client.delete(f"{REMEMBERED}/{device['id']}").status_code == 200
        assert other.client.get(REMEMBERED).json()["data"] == []
    elif how == "password":
        world.admin.put(f"/admin/rest/users/{person.name}/password", json={"password": "new"})
    else:
        world.clock.advance(30 * 86400 + 1)
    browser.access("kiosk")
    assert code_of(browser.post("/device-token/check/")) == "DEVICE_NOT_REMEMBERED"


def test_a_device_cannot_be_forgotten_by_another_site(world: World) -> None:
    """A DELETE needs the header as well."""
    browser = remembered(world, world.person().name)
    del browser.client.headers["X-Same-Domain"]
    assert code_of(browser.client.delete(f"{REMEMBERED}/1")) == "CSRF_HEADER_MISSING"


KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def trusting(settings: Settings, tmp_path: Path) -> Settings:
    """Settings of a server that believes the portal."""
    path = tmp_path / "portal.pem"
    path.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return replace(settings, sso_issuers=(("portal", path),))


def test_a_ticket_of_the_portal_says_who_begins_and_is_good_once(trusting: Settings) -> None:
    """Whoever sees it go by has nothing of it; each wrong one has its sentence."""
    with own_world(trusting) as world:
        person = world.person()
        world.device(person)
        now = world.clock.time()

        def show(**change: Any) -> httpx.Response:
            claims = {"iss": "portal", "sub": person.name, "aud": "authrig", "exp": now + 60, "jti": "a", **change}
            return at_the_kiosk(world).post("/sso-ticket/check/", {"ticket": sign(KEY, claims)})

        assert next_of(show()) == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
        for change in (
            {},
            {"sub": "nobody-at-all", "jti": "b"},
            {"jti": ""},
            {"aud": "x"},
            {"iss": "x"},
            {"exp": now - 60},
        ):
            refused = show(**change)
            assert (refused.status_code, code_of(refused)) == (400, "TICKET_WRONG")
        outcomes = [row["outcome"] for row in world.audit() if row["event"] == "sso"]
        assert outcomes == ["read", "used before", "unknown user", "refused", "refused", "refused", "refused"]


def test_an_issuer_without_a_key_is_one_sentence(settings: Settings, tmp_path: Path) -> None:
    """Missing, or no key."""
    broken = tmp_path / "broken.pem"
    broken.write_text("no key")
    for path, sentence in (
        (tmp_path / "none.pem", "cannot read the key of the issuer 'portal'"),
        (broken, "not usable"),
    ):
        with (
            pytest.raises(ServerError, match=sentence),
            run_server(replace(settings, sso_issuers=(("portal", path),))),
        ):
            pytest.fail("it started")


@pytest.mark.parametrize("target", ["/portal/mail", None])
def test_a_login_ends_where_it_asked_to_if_that_is_allowed(world: World, target: str | None) -> None:
    """Otherwise where the application says."""
    person, browser = world.person(), world.browser()
    device = world.device(person)
    browser.post("/applications/portal/access/", {"target": target})
    browser.password(person.name)
    done = browser.otp(device.code(browser.qr()))
    assert done.json()["data"]["attributes"]["redirectUri"] == (target or "/portal/")


def test_the_last_wish_counts_where_a_login_is_to_end(world: World) -> None:
    """Of a login that is under way, and of one that is complete; who has no wish changes nothing."""
    browser, person = world.browser(), world.person()
    device = world.device(person)
    browser.post("/applications/portal/access/", {"target": "/portal/mail"})
    browser.password(person.name)
    browser.post("/applications/portal/access/", {"target": "/portal/files"})
    browser.access("portal")
    done = browser.otp(device.code(browser.qr()))
    assert done.json()["data"]["attributes"]["redirectUri"] == "/portal/files"
    again = browser.post("/applications/portal/access/", {"target": "/portal/mail"})
    assert again.json()["data"]["attributes"]["redirectUri"] == "/portal/mail"
    assert browser.access("portal").json()["data"]["attributes"]["redirectUri"] == "/portal/mail"


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example", "/portal/mail/../x", "/ebanking/", ""])
def test_a_login_cannot_end_anywhere_else(world: World, target: str) -> None:
    """No open redirect, whatever it looks like."""
    browser = world.browser()
    refused = browser.post("/applications/portal/access/", {"target": target})
    assert (refused.status_code, code_of(refused)) == (400, "TARGET_NOT_ALLOWED")
    assert "set-cookie" not in refused.headers
