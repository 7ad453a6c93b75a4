"""What someone does with their own tokens, without an administrator."""

import base64
from typing import Any

import httpx
import pytest

from server_stub.cloud.hotp import hotp
from server_stub.settings import Settings
from tests.server_stub.api.test_fido import logged_in
from tests.server_stub.world import NO_TLS, SEED, Browser, World, code_of, next_of, own_world

OWN = "/auth/rest/protected/self-service/tokens"
ENROLLMENTS = "/auth/rest/protected/self-service/app-enrollments"
KEY = bytes(range(20))


def in_stock(world: World, serial: str, kind: str = "hotp") -> str:
    """A token that nobody has: its id."""
    text = f"serial,kind,seed_hex\n{serial},{kind},{(KEY if kind == 'hotp' else SEED).hex()}"
    body = {"format": "csv", "content": base64.b64encode(text.encode()).decode()}
    response = world.admin.post("/admin/rest/tokens/import", json=body)
    assert response.status_code == 201, response.text
    return str(response.json()["data"][0]["id"])


def activate(browser: Browser, serial: str, otp: str) -> httpx.Response:
    """Type what stands on the token, and what it shows."""
    return browser.client.post(f"{OWN}/activate", json={"serial": serial, "otp": otp})


def own(browser: Browser) -> dict[str, dict[str, Any]]:
    """One's tokens, by id."""
    return {each["id"]: each["attributes"] for each in browser.client.get(OWN).json()["data"]}


def test_a_token_is_activated_by_its_serial_and_a_code(world: World) -> None:
    """It works at the next login, and the code that activated it does not."""
    person = world.person()
    browser, token = logged_in(world, person), in_stock(world, "FOB-1")
    assert own(browser) == {}
    made = activate(browser, "FOB-1", " " + hotp(KEY, 0, 6)[:3] + " " + hotp(KEY, 0, 6)[3:])
    assert (made.status_code, made.json()["data"]["id"]) == (201, token)
    assert own(browser)[token]["serial"] == "FOB-1"
    login = world.browser()
    login.access("portal")
    assert next_of(login.password(person.name)) == "AIRLOCK_2FA_OTP_REQUIRED"
    assert code_of(login.otp(hotp(KEY, 0, 6))) == "OTP_WRONG"
    assert next_of(login.otp(hotp(KEY, 1, 6))) is None


def test_serials_cannot_be_found_out(world: World) -> None:
    """One that is free, one that somebody has, one of another kind, a suspended one and one that is not there: one answer."""
    owner = logged_in(world, world.person())
    in_stock(world, "FOB-2")
    in_stock(world, "FOB-3")
    in_stock(world, "CARD-3", "qr")
    world.admin.put(f"/admin/rest/tokens/{in_stock(world, 'FOB-4')}/state", json={"state": "suspended"})
    assert activate(owner, "FOB-2", hotp(KEY, 0, 6)).status_code == 201
    answers = set()
    for serial, code in (
        ("FOB-2", hotp(KEY, 1, 6)),
        ("FOB-3", "000000"),
        ("CARD-3", "00000000"),
        ("FOB-4", hotp(KEY, 0, 6)),
        ("NO-SUCH-FOB", "000000"),
        ("'OR(1=1)--", "000000"),
    ):
        refused = activate(logged_in(world, world.person()), serial, code)
        answers.add((refused.status_code, code_of(refused), refused.json()["errors"][0]["detail"]))
    assert len(answers) == 1
    assert answers.pop()[:2] == (400, "OTP_WRONG")


def test_guessing_locks_the_guesser(world: World) -> None:
    """After five wrong ones, whichever serials they were for; the right code is not looked at then."""
    in_stock(world, "FOB-5")
    guesser = logged_in(world, world.person())
    codes = [code_of(activate(guesser, f"FOB-5{n}" if n % 2 else "FOB-5", "000000")) for n in range(5)]
    assert codes == ["OTP_WRONG"] * 5
    assert code_of(activate(guesser, "FOB-5", hotp(KEY, 0, 6))) == "USER_TEMPORARILY_LOCKED"
    assert activate(logged_in(world, world.person()), "FOB-5", hotp(KEY, 0, 6)).status_code == 201


def test_a_token_is_renamed_and_given_back(world: World) -> None:
    """One's own only; afterwards somebody else can activate it."""
    first, second = (logged_in(world, world.person()) for _ in range(2))
    token = in_stock(world, "FOB-6")
    activate(first, "FOB-6", hotp(KEY, 0, 6))
    for refused in (
        second.client.put(f"{OWN}/{token}", json={"displayName": "mine"}),
        second.client.delete(f"{OWN}/{token}"),
    ):
        assert (refused.status_code, code_of(refused)) == (404, "TOKEN_UNKNOWN")
    nobodys = second.client.put(f"{OWN}/%00", json={"displayName": "mine"})
    assert (nobodys.status_code, code_of(nobodys)) == (404, "NOT_FOUND")
    name = "<script>alert('Schlüssel')</script>"
    assert first.client.put(f"{OWN}/{token}", json={"displayName": name}).status_code == 200
    assert own(first)[token]["displayName"] == name
    assert first.client.delete(f"{OWN}/{token}").status_code == 200
    assert own(first) == {}
    assert activate(second, "FOB-6", hotp(KEY, 1, 6)).status_code == 201


def test_an_app_is_enrolled_by_a_scan_or_by_typing(world: World) -> None:
    """The code is told to its user only, is good once, and the page can see that it was used."""
    browser, other = (logged_in(world, world.person()) for _ in range(2))
    for typed in (False, True):
        made = browser.client.post(ENROLLMENTS, json={"shortCode": typed}).json()["data"]
        codes = made["attributes"]
        status = f"{ENROLLMENTS}/{made['id']}"
        assert browser.client.get(status).json()["data"]["attributes"]["status"] == "pending"
        assert code_of(other.client.get(status)) == "ENROLLMENT_UNKNOWN"
        code = codes["shortCode"] if typed else codes["content"].rpartition("/")[2]
        assert codes["image"].startswith("data:image/png")
        body = {"activation_code": code, "serial": f"APP-OWN-{typed}", "display_name": "Phone"}
        with httpx.Client(base_url=world.server.cloud_url, verify=NO_TLS) as app:
            assert app.post("/srv/app/v1/enroll", json=body).status_code == 201
            assert app.post("/srv/app/v1/enroll", json=body | {"serial": "X"}).json()["code"] == "ACTIVATION_CODE_WRONG"
        assert browser.client.get(status).json()["data"]["attributes"]["status"] == "success"
    assert sorted(each["serial"] for each in own(browser).values()) == ["APP-OWN-False", "APP-OWN-True"]


@pytest.mark.parametrize("path", [OWN, f"{ENROLLMENTS}/x"])
def test_strangers_see_nothing(world: World, path: str) -> None:
    """Nor does who has passed one step of two."""
    half, _, _ = world.at_the_qr_code()
    for browser in (world.browser(), half):
        assert browser.client.get(path).status_code == 401
        assert browser.client.post(ENROLLMENTS, json={}).status_code == 401
        assert activate(browser, "FOB", "000000").status_code == 401


def test_a_token_tells_when_it_was_used_last(settings: Settings) -> None:
    """By a right code, not by a wrong one."""
    with own_world(settings) as world:
        browser, person, device = world.at_the_qr_code()
        mine = logged_in(world, person)
        browser.otp("00000000")
        assert own(mine)[device.id]["lastUsedAt"] is None
        world.clock.advance(60)
        assert next_of(browser.otp(device.code(browser.qr()))) is None
        used = own(mine)[device.id]["lastUsedAt"]
        world.clock.advance(60)
        again = world.browser()
        again.access("ebanking")
        again.password(person.name)
        again.otp(device.code(again.qr()))
        assert own(mine)[device.id]["lastUsedAt"] > used
