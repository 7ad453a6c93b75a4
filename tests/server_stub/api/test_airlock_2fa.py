import concurrent.futures

import httpx
import pytest

from offline_qr.otq1 import Tag
from tests.server_stub.world import NO_TLS, World, code_of, next_of, off_by_one

OTP_CHECK = "/auth/rest/public/authentication/airlock-2fa/otp/check/"


def test_a_password_and_the_tokens_code_open_the_bank(world: World) -> None:
    """The token shows service, user and place; its code completes the login."""
    browser, person, device = world.at_the_qr_code()
    content = browser.qr(place="Bern, Firefox")
    shown = {field.tag: field.value for field in device.read(content).fields}
    assert shown == {Tag.SERVICE: "E-Banking", Tag.USER: person.name, Tag.PLACE: "Bern, Firefox"}
    response = browser.otp(device.code(content))
    assert response.json()["data"]["attributes"] == {"nextAuthStep": None, "redirectUri": "/ebanking/"}
    steps = browser.session().json()["data"]["attributes"]["steps"]
    assert [step["method"] for step in steps] == ["PASSWORD", "OFFLINE_QR"]


def test_the_code_may_be_typed_as_it_is_shown(world: World) -> None:
    """Two groups of four digits."""
    browser, _, device = world.at_the_qr_code()
    code = device.code(browser.qr())
    assert browser.otp(f"{code[:4]} {code[4:]}").status_code == 200


def test_the_steps_are_named_one_after_the_other(world: World) -> None:
    """A script that only follows nextAuthStep gets through."""
    person, browser = world.person(), world.browser()
    device = world.device(person)
    assert next_of(browser.access("ebanking")) == "PASSWORD_REQUIRED"
    assert next_of(browser.password(person.name)) == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
    response = browser.post("/airlock-2fa/offline-qr-code/retrieve/", {"image": False})
    assert next_of(response) == "AIRLOCK_2FA_OTP_REQUIRED"
    assert response.json()["data"]["attributes"]["image"] is None
    assert next_of(browser.otp(device.code(response.json()["data"]["attributes"]["content"]))) is None


def test_one_digit_off_is_wrong_and_three_times_is_the_end_of_the_challenge(world: World) -> None:
    """After that even the right code of that challenge is refused; a new challenge helps."""
    browser, _, device = world.at_the_qr_code()
    code = device.code(browser.qr())
    steps = [next_of(browser.otp(off_by_one(code))) for _ in range(3)]
    retrieve = "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
    assert steps == ["AIRLOCK_2FA_OTP_REQUIRED", "AIRLOCK_2FA_OTP_REQUIRED", retrieve]
    assert code_of(browser.otp(code)) == "UNEXPECTED_CALL"
    assert browser.otp(device.code(browser.qr())).status_code == 200


@pytest.mark.parametrize("code", ["0", "123456", "1234567890123456"])
def test_a_code_of_another_length_is_wrong(world: World, code: str) -> None:
    """It counts like any other wrong code."""
    browser, _, _ = world.at_the_qr_code()
    browser.qr()
    assert code_of(browser.otp(code)) == "OTP_WRONG"


def test_the_same_code_twice_is_refused_in_its_session_and_in_any_other(world: World) -> None:
    """A code that was seen over a shoulder is worth nothing."""
    browser, person, device = world.at_the_qr_code()
    code = device.code(browser.qr())
    assert browser.otp(code).status_code == 200
    assert code_of(browser.otp(code)) == "UNEXPECTED_CALL"
    other = world.browser()
    other.access("ebanking")
    other.password(person.name)
    assert code_of(other.otp(code)) == "UNEXPECTED_CALL"
    other.qr()
    assert code_of(other.otp(code)) == "OTP_WRONG"


def test_a_code_for_another_sessions_challenge_is_wrong(world: World) -> None:
    """A challenge belongs to the session that asked for it."""
    browser, person, device = world.at_the_qr_code()
    other = world.browser()
    other.access("ebanking")
    other.password(person.name)
    code = device.code(other.qr())
    browser.qr()
    assert code_of(browser.otp(code)) == "OTP_WRONG"
    assert other.otp(code).status_code == 200


def test_a_new_challenge_cancels_the_one_before(world: World) -> None:
    """Only the QR code on the screen counts."""
    browser, _, device = world.at_the_qr_code()
    old, new = device.code(browser.qr()), device.code(browser.qr())
    assert code_of(browser.otp(old)) == "OTP_WRONG"
    assert browser.otp(new).status_code == 200


def test_an_expired_challenge_is_refused(world: World) -> None:
    """Three minutes for a login, and a new one can be had."""
    browser, _, device = world.at_the_qr_code()
    code = device.code(browser.qr())
    world.clock.advance(181)
    response = browser.otp(code)
    assert (response.status_code, code_of(response)) == (400, "OTP_EXPIRED")
    assert next_of(response) == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
    assert browser.otp(device.code(browser.qr())).status_code == 200


def test_five_wrong_codes_lock_the_token_and_say_until_when(world: World) -> None:
    """Also for the right code, and for new challenges, until the minute is over."""
    browser, _, device = world.at_the_qr_code()
    for _ in range(3):
        browser.otp(off_by_one(device.code(browser.qr())))
    code = device.code(browser.qr())
    for _ in range(2):
        assert code_of(browser.otp(off_by_one(code))) == "OTP_WRONG"
    locked = browser.otp(code)
    assert (locked.status_code, code_of(locked)) == (403, "USER_TEMPORARILY_LOCKED")
    refused = browser.post("/airlock-2fa/offline-qr-code/retrieve/")
    assert code_of(refused) == "USER_TEMPORARILY_LOCKED"
    assert refused.json()["meta"]["temporaryLockExpiry"] == locked.json()["meta"]["temporaryLockExpiry"]
    world.clock.advance(61)
    assert browser.otp(code).status_code == 200


def test_one_of_several_tokens_has_to_be_chosen(world: World) -> None:
    """Codes of the other token do not count, and nobody can choose a stranger's."""
    person, browser, stranger = world.person(), world.browser(), world.person()
    first, second, foreign = world.device(person), world.device(person), world.device(stranger)
    browser.access("ebanking")
    assert next_of(browser.password(person.name)) == "AIRLOCK_2FA_DEVICE_CHOICE_REQUIRED"
    assert code_of(browser.post("/airlock-2fa/offline-qr-code/retrieve/")) == "UNEXPECTED_CALL"
    devices = browser.post("/airlock-2fa/devices/retrieve/").json()["data"]
    assert {each["id"] for each in devices} == {first.id, second.id}
    assert {each["attributes"]["displayName"] for each in devices} == {
        f"Token {first.serial}",
        f"Token {second.serial}",
    }
    assert code_of(browser.post(f"/airlock-2fa/devices/{foreign.id}/select/")) == "DEVICE_UNKNOWN"
    selected = browser.post(f"/airlock-2fa/devices/{second.id}/select/")
    assert next_of(selected) == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
    content = browser.qr()
    assert browser.otp(second.code(content)).status_code == 200


def test_without_a_token_there_is_no_way_in(world: World) -> None:
    """The list to choose from is empty."""
    person, browser = world.person(), world.browser()
    browser.access("ebanking")
    assert next_of(browser.password(person.name)) == "AIRLOCK_2FA_DEVICE_CHOICE_REQUIRED"
    assert browser.post("/airlock-2fa/devices/retrieve/").json()["data"] == []
    assert browser.session().status_code == 401


def test_the_second_step_cannot_come_first(world: World) -> None:
    """No call of the second step works before the password."""
    browser = world.browser()
    browser.access("ebanking")
    for path in ("devices/retrieve/", "devices/x/select/", "offline-qr-code/retrieve/"):
        assert code_of(browser.post(f"/airlock-2fa/{path}")) == "UNEXPECTED_CALL"
    assert code_of(browser.otp("12345678")) == "UNEXPECTED_CALL"
    assert code_of(browser.post("/fido/challenge/retrieve/")) == "UNEXPECTED_CALL"


def test_a_place_that_would_not_show_is_refused(world: World) -> None:
    """Right-to-left overrides and the like never reach a token."""
    browser, _, _ = world.at_the_qr_code()
    response = browser.post("/airlock-2fa/offline-qr-code/retrieve/", {"place": "Bern\u202e"})
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")
    assert "U+202E" in response.json()["errors"][0]["detail"]


def test_one_code_typed_at_once_in_64_requests_opens_one_session(world: World) -> None:
    """Exactly one request is let in, whatever the order."""
    browser, person, device = world.at_the_qr_code()
    code = device.code(browser.qr())
    cookies = dict(browser.client.cookies)

    def submit(_: int) -> httpx.Response:
        with httpx.Client(verify=NO_TLS, base_url=world.server.public_url, cookies=cookies) as client:
            return client.post(OTP_CHECK, json={"otp": code}, headers={"X-Same-Domain": "1"})

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        responses = list(pool.map(submit, range(64)))
    statuses = [response.status_code for response in responses]
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 400, 401, 403}, "403: five are in flight at once, the others are not looked at"
    logins = [row for row in world.audit() if row["event"] == "login" and row["user"] == person.id]
    assert len(logins) == 1
