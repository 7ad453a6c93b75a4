from typing import Any

import httpx

from server_stub.cloud.hotp import hotp
from tests.server_stub.world import SEED, Browser, Device, Person, World, code_of, next_of

KEY = bytes(range(20))


def add(world: World, person: Person, kind: str, **more: Any) -> Device:
    """A token of another kind."""
    return world.device_of(person, kind, (SEED if kind == "app" else KEY).hex(), **more)


def at_the_portal(world: World, person: Person) -> tuple[Browser, httpx.Response]:
    """Someone who has passed the password, and what they are asked for next."""
    browser = world.browser()
    browser.access("portal")
    return browser, browser.password(person.name)


def press(world: World, person: Person, button: str) -> httpx.Response:
    """Press a button of the person's app."""
    [shown] = world.admin.get(f"/admin/rest/users/{person.name}/push-requests").json()["data"]
    assert shown["attributes"]["text"] == f"Portal: {person.name}"
    return world.admin.post(f"/admin/rest/push-requests/{shown['id']}/answer", json={"answer": button})


def poll(browser: Browser) -> httpx.Response:
    """Ask how it stands."""
    return browser.post("/airlock-2fa/status/poll/")


def test_a_passcode_is_the_second_step_and_good_once(world: World) -> None:
    """Of a token that counts: the third code, when two were lost in a pocket."""
    person = world.person()
    add(world, person, "hotp", counter=7)
    browser, begun = at_the_portal(world, person)
    assert next_of(begun) == "AIRLOCK_2FA_OTP_REQUIRED"
    assert code_of(browser.otp(hotp(KEY, 6, 6))) == "OTP_WRONG"
    assert code_of(browser.post("/airlock-2fa/offline-qr-code/retrieve/")) == "UNEXPECTED_CALL"
    assert next_of(browser.otp(hotp(KEY, 9, 6))) is None
    again, _ = at_the_portal(world, person)
    assert code_of(again.otp(hotp(KEY, 9, 6))) == "OTP_WRONG"
    assert next_of(again.otp(hotp(KEY, 10, 6))) is None
    assert again.session().json()["data"]["attributes"]["steps"][1]["method"] == "OTP"


def test_a_token_with_a_clock(world: World) -> None:
    """Eight digits, SHA-256, a minute."""
    person = world.person()
    add(world, person, "totp", digits=8, algorithm="sha256", period=60)
    browser, _ = at_the_portal(world, person)
    code = hotp(KEY, int(world.clock.time() // 60), 8, "sha256")
    assert next_of(browser.otp(code)) is None


def test_a_lost_token_is_found_again_by_the_administrator(world: World) -> None:
    """Two codes in a row; the user is locked in the IAM and unlocked apart."""
    person = world.person()
    device = add(world, person, "hotp")
    browser, _ = at_the_portal(world, person)
    assert code_of(browser.otp(hotp(KEY, 300, 6))) == "OTP_WRONG"
    url = f"/admin/rest/users/{person.name}/tokens/{device.id}/resync"
    wrong = world.admin.post(url, json={"first": hotp(KEY, 301, 6), "second": hotp(KEY, 303, 6)})
    assert code_of(wrong) == "OTP_WRONG"
    right = world.admin.post(url, json={"first": hotp(KEY, 301, 6), "second": hotp(KEY, 302, 6)})
    assert right.status_code == 200, right.text
    assert next_of(browser.otp(hotp(KEY, 303, 6))) is None


def test_of_several_devices_one_is_chosen_and_says_what_comes_next(world: World) -> None:
    """The order of the flow decides what a device with several talents is asked to do."""
    person = world.person()
    counting, app, qr = add(world, person, "hotp"), add(world, person, "app"), world.device(person)
    browser, begun = at_the_portal(world, person)
    assert next_of(begun) == "AIRLOCK_2FA_DEVICE_CHOICE_REQUIRED"
    listed = browser.post("/airlock-2fa/devices/retrieve/").json()["data"]
    assert {each["id"]: each["attributes"]["capabilities"] for each in listed} == {
        counting.id: ["passcode"],
        app.id: ["one_touch", "offline_qrcode"],
        qr.id: ["offline_qrcode"],
    }
    steps = {each.id: next_of(browser.post(f"/airlock-2fa/devices/{each.id}/select/")) for each in (counting, app, qr)}
    assert steps == {
        counting.id: "AIRLOCK_2FA_OTP_REQUIRED",
        app.id: "AIRLOCK_2FA_POLLING_OR_OFFLINE_REQUIRED",
        qr.id: "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED",
    }
    assert code_of(poll(browser)) == "UNEXPECTED_CALL"
    assert next_of(browser.otp(qr.code(browser.qr()))) is None


def test_who_has_only_a_flow_without_their_device_is_not_asked_for_it(world: World) -> None:
    """The bank knows no passcodes, so a counting token is no choice there."""
    person, browser = world.person(), world.browser()
    add(world, person, "hotp")
    qr = world.device(person)
    browser.access("ebanking")
    assert next_of(browser.password(person.name)) == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
    assert next_of(browser.otp(qr.code(browser.qr()))) is None


def test_an_app_that_approves_completes_the_login_once(world: World) -> None:
    """Ask, wait, approve; the approval is good for this session only."""
    person = world.person()
    add(world, person, "app")
    browser, begun = at_the_portal(world, person)
    assert next_of(begun) == "AIRLOCK_2FA_POLLING_OR_OFFLINE_REQUIRED"
    assert [next_of(poll(browser)) for _ in range(3)] == ["AIRLOCK_2FA_POLLING_OR_OFFLINE_REQUIRED"] * 3
    other, _ = at_the_portal(world, person)
    assert press(world, person, "approve").json()["data"]["attributes"] == {"status": "approved"}
    assert next_of(poll(other)) == "AIRLOCK_2FA_POLLING_OR_OFFLINE_REQUIRED"
    assert next_of(poll(browser)) is None
    assert browser.session().json()["data"]["attributes"]["steps"][1]["method"] == "PUSH"


def test_an_app_that_denies_ends_the_login_and_raises_an_alarm(world: World) -> None:
    """Whoever typed the password was not its owner."""
    person = world.person()
    add(world, person, "app")
    browser, _ = at_the_portal(world, person)
    poll(browser)
    press(world, person, "deny")
    refused = poll(browser)
    assert (refused.status_code, code_of(refused)) == (403, "AIRLOCK_2FA_DENIED")
    assert code_of(poll(browser)) == "NOT_AUTHORIZED"
    [alarm] = [row for row in world.audit() if row["event"] == "alarm" and row["user"] == person.id]
    assert alarm["outcome"] == "login denied on the app"


def test_when_nobody_answers_the_login_falls_back_to_offline_qr(world: World) -> None:
    """After a minute; an answer that comes later is too late."""
    person = world.person()
    app = add(world, person, "app")
    browser, _ = at_the_portal(world, person)
    poll(browser)
    [shown] = world.admin.get(f"/admin/rest/users/{person.name}/push-requests").json()["data"]
    world.clock.advance(61)
    late = poll(browser)
    assert (late.status_code, code_of(late)) == (400, "AIRLOCK_2FA_TIMEOUT")
    assert next_of(late) == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
    answer = world.admin.post(f"/admin/rest/push-requests/{shown['id']}/answer", json={"answer": "approve"})
    assert (answer.status_code, code_of(answer)) == (409, "PUSH_OVER")
    assert next_of(browser.otp(app.code(browser.qr()))) is None


def test_who_does_not_want_to_wait_goes_offline_at_once(world: World) -> None:
    """The step is called POLLING_OR_OFFLINE for that; a later approval changes nothing."""
    person = world.person()
    app = add(world, person, "app")
    browser, _ = at_the_portal(world, person)
    poll(browser)
    content = browser.qr()
    press(world, person, "approve")
    assert code_of(poll(browser)) == "UNEXPECTED_CALL"
    assert next_of(browser.otp(app.code(content))) is None


def test_who_has_no_device_but_a_key_is_asked_for_the_key(world: World) -> None:
    """Here neither: the choice is empty, and a key could still be tried."""
    person = world.person()
    browser, begun = at_the_portal(world, person)
    assert next_of(begun) == "FIDO_AUTHENTICATION_CHALLENGE_RETRIEVAL_REQUIRED"
    assert code_of(browser.post("/fido/challenge/retrieve/")) == "FIDO_NO_CREDENTIAL"
