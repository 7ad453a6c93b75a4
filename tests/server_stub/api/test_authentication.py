import asyncio
import base64
from typing import Any

import httpx
import pytest

from offline_qr.badge import InsecureBadge, SecureBadge, parse
from server_stub.api import authentication
from server_stub.api.current import Proof, prove
from tests.server_stub.world import PASSWORD, Browser, Person, World, code_of, next_of


def badge(world: World, person: Person, kind: str) -> str:
    """The text of a new badge."""
    response = world.admin.post(f"/admin/rest/users/{person.name}/badges", json={"kind": kind})
    assert response.status_code == 201, response.text
    return str(response.json()["data"]["attributes"]["content"])


def hold_up(browser: Browser, text: str) -> httpx.Response:
    """Show a badge to the scanner."""
    return browser.post("/badge/check/", {"badge": base64.b64encode(text.encode()).decode()})


@pytest.mark.parametrize(
    ("application", "step", "first"),
    [
        ("ebanking", "PASSWORD_REQUIRED", ["PASSWORD"]),
        ("office", "PASSWORD_OR_BADGE_REQUIRED", ["PASSWORD", "BADGE_SECURE"]),
        ("classroom", "PASSWORD_OR_BADGE_REQUIRED", ["PASSWORD", "BADGE_SECURE", "BADGE_INSECURE"]),
    ],
)
def test_access_names_the_first_steps(world: World, application: str, step: str, first: list[str]) -> None:
    """A client learns from the refusal how to begin."""
    response = world.browser().access(application)
    assert (response.status_code, code_of(response)) == (401, "NOT_AUTHORIZED")
    assert response.json()["meta"]["nextAuthStep"] == step
    assert response.json()["meta"]["allowedFirstSteps"] == first


def test_access_to_nothing_that_is_known_is_refused(world: World) -> None:
    """No session is made for it."""
    response = world.browser().access("treasury")
    assert (response.status_code, code_of(response)) == (404, "APPLICATION_NOT_FOUND")
    assert "set-cookie" not in response.headers


def test_a_password_opens_the_self_service(world: World) -> None:
    """One step, then the redirect target, and the same answer when asked again."""
    person, browser = world.person(), world.browser()
    browser.access("self-service")
    response = browser.password(person.name)
    assert response.json()["data"]["attributes"] == {"nextAuthStep": None, "redirectUri": "/self-service/"}
    assert browser.access("self-service").json()["data"]["attributes"]["redirectUri"] == "/self-service/"


def test_a_wrong_password_and_an_unknown_user_look_the_same(world: World) -> None:
    """The answer tells nobody which names exist."""
    answers = []
    for name in (world.person().name, "nobody-at-all"):
        browser = world.browser()
        browser.access("self-service")
        response = browser.password(name, "wrong")
        error = response.json()["errors"][0]
        answers.append((response.status_code, error["code"], error["detail"], next_of(response)))
    assert answers[0] == answers[1]
    assert answers[0][:2] == (400, "USERNAME_PASSWORD_WRONG")


@pytest.mark.parametrize("known", ["known", ""])
def test_five_wrong_passwords_lock_for_a_minute_then_twice_as_long(world: World, known: str) -> None:
    """A lock looks the same for names that nobody has; attempts during it do not count."""
    name, browser = world.person().name if known else "nobody-knows", world.browser()
    browser.access("self-service")
    for _ in range(4):
        assert code_of(browser.password(name, "wrong")) == "USERNAME_PASSWORD_WRONG"
    fifth = browser.password(name, "wrong")
    assert code_of(fifth) == "USERNAME_PASSWORD_WRONG"
    expiry = fifth.json()["meta"]["temporaryLockExpiry"]
    for _ in range(10):
        locked = browser.password(name)
        assert (locked.status_code, code_of(locked)) == (403, "USER_TEMPORARILY_LOCKED")
        assert locked.json()["meta"]["temporaryLockExpiry"] == expiry
    world.clock.advance(61)
    assert code_of(browser.password(name, "wrong")) == "USERNAME_PASSWORD_WRONG"
    world.clock.advance(61)
    assert code_of(browser.password(name)) == "USER_TEMPORARILY_LOCKED"
    world.clock.advance(60)
    assert browser.password(name).status_code == (200 if known else 400)


def test_ten_wrong_passwords_lock_until_the_password_is_set_anew(world: World) -> None:
    """Then only the administrator helps."""
    person = world.person()
    for _ in range(10):
        browser = world.browser()
        browser.access("self-service")
        assert code_of(browser.password(person.name, "wrong")) == "USERNAME_PASSWORD_WRONG"
        world.clock.advance(3600)
    browser = world.browser()
    browser.access("self-service")
    assert code_of(browser.password(person.name)) == "USER_LOCKED"
    assert world.admin.put(f"/admin/rest/users/{person.name}/password", json={"password": "new"}).status_code == 200
    assert browser.password(person.name).status_code == 400
    assert browser.password(person.name, "new").status_code == 200


def test_the_same_password_counts_however_a_keyboard_composes_it(world: World) -> None:
    """A letter with a mark may arrive as one code point or as two."""
    person = world.person()
    world.admin.put(f"/admin/rest/users/{person.name}/password", json={"password": "z\u00fcrich"})
    browser = world.browser()
    browser.access("self-service")
    assert browser.password(person.name, "zu\u0308rich").status_code == 200


def test_every_passed_step_changes_the_cookie(world: World) -> None:
    """Who planted or saw the old one has nothing (session fixation)."""
    person, browser = world.person(), world.browser()
    browser.access("self-service")
    planted = browser.client.cookies["authrig_session"]
    browser.password(person.name)
    assert browser.client.cookies["authrig_session"] != planted
    other = world.browser()
    other.client.cookies.set("authrig_session", planted)
    assert other.session().status_code == 401


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(world: World) -> None:
    """HttpOnly and SameSite=Strict."""
    header = world.browser().access("self-service").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict"} <= set(header.split("; "))


def test_a_session_is_for_one_application_only(world: World) -> None:
    """Who is let into the self-service is not thereby in the bank."""
    person, browser = world.person(), world.browser()
    browser.access("self-service")
    browser.password(person.name)
    assert browser.access("ebanking").status_code == 401
    assert browser.session().status_code == 401


def test_without_a_session_nothing_can_be_checked(world: World) -> None:
    """The first call is access."""
    response = world.browser().password(world.person().name)
    assert (response.status_code, code_of(response)) == (401, "NOT_AUTHORIZED")


def test_a_login_that_takes_too_long_starts_again(world: World) -> None:
    """An unfinished session ends after ten minutes."""
    person, browser = world.person(), world.browser()
    browser.access("self-service")
    world.clock.advance(601)
    assert code_of(browser.password(person.name)) == "NOT_AUTHORIZED"


def test_an_insecure_badge_stands_for_the_name_only(world: World) -> None:
    """The password still has to be typed, without the name."""
    person, browser = world.person(), world.browser()
    text = badge(world, person, "insecure")
    assert isinstance(parse(text.encode()), InsecureBadge)
    browser.access("classroom")
    assert next_of(hold_up(browser, text)) == "PASSWORD_REQUIRED"
    assert browser.session().status_code == 401
    response = browser.post("/password/check/", {"password": PASSWORD})
    assert next_of(response) is None


def test_after_a_badge_only_its_own_users_password_counts(world: World) -> None:
    """Somebody else's name and password do not make one out of two people."""
    holder, other, browser = world.person(), world.person(), world.browser()
    browser.access("classroom")
    hold_up(browser, badge(world, holder, "insecure"))
    assert code_of(browser.password(other.name)) == "USERNAME_PASSWORD_WRONG"
    assert browser.password(holder.name).status_code == 200


def test_a_secure_badge_is_name_and_password_at_once(world: World) -> None:
    """One scan opens the office."""
    person, browser = world.person(), world.browser()
    browser.access("office")
    assert next_of(hold_up(browser, badge(world, person, "secure"))) is None
    assert browser.session().json()["data"]["attributes"]["username"] == person.name


def test_a_secure_badge_dies_with_its_password_even_if_it_is_changed_back(world: World) -> None:
    """Each password change makes a new key; a badge printed afterwards works."""
    person, browser = world.person(), world.browser()
    old = badge(world, person, "secure")
    world.admin.put(f"/admin/rest/users/{person.name}/password", json={"password": PASSWORD})
    browser.access("office")
    response = hold_up(browser, old)
    assert (response.status_code, code_of(response)) == (400, "BADGE_WRONG")
    assert hold_up(browser, badge(world, person, "secure")).status_code == 200


@pytest.mark.parametrize("kind", ["secure", "insecure"])
@pytest.mark.parametrize("meanwhile", ["voided", "password changed"])
def test_what_ends_a_badge_while_it_is_being_checked_ends_it(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str, meanwhile: str
) -> None:
    """Between the scan and the step lies a question to the cloud, which may take seconds."""
    person, browser = world.person(), world.browser()
    text = badge(world, person, kind)
    url = f"/admin/rest/users/{person.name}"

    async def prove_slowly(*args: Any) -> Proof:
        proof = await prove(*args)
        if meanwhile == "voided":
            await asyncio.to_thread(world.admin.delete, f"{url}/badges")
        else:
            await asyncio.to_thread(world.admin.put, f"{url}/password", json={"password": PASSWORD})
        return proof

    monkeypatch.setattr(authentication, "prove", prove_slowly)
    browser.access("classroom")
    answer = hold_up(browser, text)
    ended = meanwhile == "voided" or kind == "secure"
    assert (code_of(answer) if ended else next_of(answer)) == ("BADGE_WRONG" if ended else "PASSWORD_REQUIRED")


def test_an_insecure_badge_is_refused_where_the_policy_does_not_allow_it(world: World) -> None:
    """And nobody is identified by it; the scan is in the audit log."""
    person, browser = world.person(), world.browser()
    text = badge(world, person, "insecure")
    browser.access("office")
    response = hold_up(browser, text)
    assert (response.status_code, code_of(response)) == (403, "BADGE_NOT_ALLOWED")
    assert next_of(response) == "PASSWORD_OR_BADGE_REQUIRED"
    scans = [row for row in world.audit() if row["event"] == "badge.scan" and row["user"] == person.id]
    assert [row["outcome"] for row in scans] == ["not allowed by policy"]


def test_a_forged_badge_is_refused(world: World) -> None:
    """One flipped bit in the sealed part, another user's seal, a made-up id, another kind under a known id."""
    person, other = world.person(), world.person()
    mine, theirs = (parse(badge(world, who, "secure").encode()) for who in (person, other))
    assert isinstance(mine, SecureBadge)
    assert isinstance(theirs, SecureBadge)
    insecure = parse(badge(world, person, "insecure").encode())
    flipped = bytes([mine.sealed[0] ^ 1]) + mine.sealed[1:]
    browser = world.browser()
    browser.access("classroom")
    for forged in (
        SecureBadge(mine.badge_id, flipped),
        SecureBadge(mine.badge_id, theirs.sealed),
        SecureBadge(bytes(16), mine.sealed),
        SecureBadge(insecure.badge_id, mine.sealed),
        InsecureBadge(mine.badge_id),
        InsecureBadge(bytes(16)),
    ):
        response = hold_up(browser, forged.text)
        assert (response.status_code, code_of(response)) == (400, "BADGE_WRONG")
    assert hold_up(browser, "https://example.org/not-a-badge").status_code == 400
    assert hold_up(browser, mine.text).status_code == 200


def test_a_badge_where_a_password_is_due_is_an_unexpected_call(world: World) -> None:
    """The policy of the bank knows no badges at all."""
    person, browser = world.person(), world.browser()
    text = badge(world, person, "secure")
    browser.access("ebanking")
    response = hold_up(browser, text)
    assert code_of(response) == "UNEXPECTED_CALL"
    assert next_of(response) == "PASSWORD_REQUIRED"
