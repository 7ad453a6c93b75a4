import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from server_stub.policy_file import DEFAULT_FILE
from server_stub.settings import Settings
from tests.server_stub.soft_key import USER_PRESENT, USER_VERIFIED, SoftKey
from tests.server_stub.world import Browser, Person, World, code_of, next_of, own_world

REGISTRATION = "/auth/rest/protected/self-service/fido/registration"


def logged_in(world: World, person: Person) -> Browser:
    """Someone in the self-service."""
    browser = world.browser()
    browser.access("self-service")
    browser.password(person.name)
    return browser


def creation_options(browser: Browser) -> dict[str, Any]:
    """Options for a new credential."""
    response = browser.client.post(f"{REGISTRATION}/challenge/retrieve/", json={"displayName": "Blue key"})
    assert response.status_code == 200, response.text
    return dict(response.json()["data"]["attributes"]["publicKey"])


def register(browser: Browser, credential: dict[str, Any]) -> httpx.Response:
    """Hand in a new credential."""
    return browser.client.post(f"{REGISTRATION}/check/", json={"credential": credential})


def person_with_key(world: World, **how: Any) -> tuple[Person, SoftKey]:
    """Someone who has registered a key."""
    person = world.person()
    browser, key = logged_in(world, person), SoftKey(world.server.origin, **how)
    assert register(browser, key.create(creation_options(browser))).status_code == 200
    return person, key


def at_the_key(world: World, person: Person) -> tuple[Browser, dict[str, Any]]:
    """Someone who has passed the password for the VPN, and the options for their assertion."""
    browser = world.browser()
    browser.access("vpn")
    assert next_of(browser.password(person.name)) == "FIDO_AUTHENTICATION_CHALLENGE_RETRIEVAL_REQUIRED"
    return browser, request_options(browser)


def request_options(browser: Browser) -> dict[str, Any]:
    """Options for an assertion."""
    response = browser.post("/fido/challenge/retrieve/")
    assert response.status_code == 200, response.text
    assert next_of(response) == "FIDO_AUTHENTICATION_RESPONSE_REQUIRED"
    return dict(response.json()["data"]["attributes"]["publicKey"])


def hand_in(browser: Browser, credential: dict[str, Any]) -> httpx.Response:
    """Hand in an assertion."""
    return browser.post("/fido/assertion/check/", {"credential": credential})


def test_a_registered_key_opens_the_vpn(world: World) -> None:
    """Registration in the self-service, then password and key."""
    person, key = person_with_key(world)
    browser, options = at_the_key(world, person)
    response = hand_in(browser, key.get(options, bytes.fromhex(person.id)))
    assert (response.status_code, next_of(response)) == (200, None)
    steps = browser.session().json()["data"]["attributes"]["steps"]
    assert [step["method"] for step in steps] == ["PASSWORD", "FIDO"]


def test_options_name_this_users_credentials_only(world: World) -> None:
    """And the second registration excludes the first key."""
    person, key = person_with_key(world)
    _, other_key = person_with_key(world)
    _, options = at_the_key(world, person)
    assert [each["id"] for each in options["allowCredentials"]] == [key.get(options)["id"]]
    assert options["rpId"] == "localhost"
    excluded = creation_options(logged_in(world, person))["excludeCredentials"]
    assert [each["id"] for each in excluded] == [key.get(options)["id"]]
    assert other_key.get(options)["id"] not in str(options)


def test_a_credential_of_another_user_is_refused(world: World) -> None:
    """Even though it is a good credential of this server."""
    person, _ = person_with_key(world)
    other, other_key = person_with_key(world)
    browser, options = at_the_key(world, person)
    response = hand_in(browser, other_key.get(options, bytes.fromhex(other.id)))
    assert (response.status_code, code_of(response)) == (400, "FIDO_ASSERTION_WRONG")
    assert hand_in(browser, other_key.get(request_options(browser))).status_code == 400
    assert browser.session().status_code == 401


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"rp_id": "evil.example"}, "Wrong RP ID hash"),
        ({"origin": "http://evil.example"}, "Invalid origin"),
        ({"origin": "https://localhost"}, "Invalid origin"),
        ({"flags": 0}, "User Present flag"),
        ({"sign_count": 1, "private_key": None}, "Invalid signature"),
    ],
)
def test_an_assertion_that_is_wrong_in_one_thing_is_refused(world: World, wrong: dict[str, Any], sentence: str) -> None:
    """Each check has its own sentence; then the right key still works with a new challenge."""
    person, key = person_with_key(world)
    browser, options = at_the_key(world, person)
    if "private_key" in wrong:
        wrong = {"private_key": SoftKey(key.origin).private_key}
    response = hand_in(browser, replace(key, **wrong).get(options))
    assert (response.status_code, code_of(response)) == (400, "FIDO_ASSERTION_WRONG")
    assert sentence in response.json()["errors"][0]["detail"]
    assert next_of(response) == "FIDO_AUTHENTICATION_CHALLENGE_RETRIEVAL_REQUIRED"
    assert hand_in(browser, key.get(request_options(browser))).status_code == 200


def test_every_changed_member_of_an_assertion_is_refused(world: World) -> None:
    """One flipped bit in each signed part, one at a time."""
    person, key = person_with_key(world)
    browser = world.browser()
    browser.access("vpn")
    browser.password(person.name)
    for member in ("clientDataJSON", "authenticatorData", "signature"):
        credential = key.get(request_options(browser))
        data = bytearray(base64.urlsafe_b64decode(credential["response"][member] + "=="))
        data[-2] ^= 1
        credential["response"][member] = base64.urlsafe_b64encode(data).decode().rstrip("=")
        assert code_of(hand_in(browser, credential)) == "FIDO_ASSERTION_WRONG", member
    assert hand_in(browser, key.get(request_options(browser), b"somebody else")).status_code == 400


def test_a_challenge_is_answered_once(world: World) -> None:
    """A recorded assertion does not work again, in this session or another, nor after two minutes."""
    person, key = person_with_key(world)
    browser, options = at_the_key(world, person)
    recorded = key.get(options)
    assert hand_in(browser, recorded).status_code == 200
    assert code_of(hand_in(browser, recorded)) == "UNEXPECTED_CALL"
    other, _ = at_the_key(world, person)
    response = hand_in(other, recorded)
    assert "Wrong challenge" in response.json()["errors"][0]["detail"]
    options = request_options(other)
    world.clock.advance(121)
    assert code_of(hand_in(other, key.get(options))) == "UNEXPECTED_CALL"


def test_a_signature_counter_that_does_not_grow_is_refused_and_in_the_audit_log(world: World) -> None:
    """Somebody may have copied the key (WebAuthn §7.2 step 22)."""
    person, key = person_with_key(world, sign_count=5)
    browser, options = at_the_key(world, person)
    for count in (5, 4, 0):
        response = hand_in(browser, replace(key, sign_count=count).get(options))
        assert code_of(response) == "FIDO_ASSERTION_WRONG"
        options = request_options(browser)
    assert hand_in(browser, replace(key, sign_count=6).get(options)).status_code == 200
    alarms = [row for row in world.audit() if row["user"] == person.id and row["event"] == "fido"]
    assert len(alarms) == 3
    assert "copied" in alarms[0]["detail"]["why"]


def test_without_a_registered_key_the_vpn_stays_shut(world: World) -> None:
    """There is nothing to ask for: an empty list would invite any key."""
    person, browser = world.person(), world.browser()
    browser.access("vpn")
    browser.password(person.name)
    response = browser.post("/fido/challenge/retrieve/")
    assert (response.status_code, code_of(response)) == (403, "FIDO_NO_CREDENTIAL")


def test_registration_needs_a_complete_login(world: World) -> None:
    """After the password for the VPN nobody is in yet."""
    browser = world.browser()
    browser.access("vpn")
    browser.password(world.person().name)
    response = browser.client.post(f"{REGISTRATION}/challenge/retrieve/", json={"displayName": "Blue key"})
    assert (response.status_code, code_of(response)) == (401, "NOT_AUTHORIZED")


@pytest.mark.parametrize(
    "wrong", [{"rp_id": "evil.example"}, {"origin": "http://evil.example"}, {"flags": USER_PRESENT - 1}]
)
def test_a_registration_that_is_wrong_in_one_thing_is_refused(world: World, wrong: dict[str, Any]) -> None:
    """And nothing is kept of it."""
    person = world.person()
    browser = logged_in(world, person)
    response = register(browser, SoftKey(**({"origin": world.server.origin} | wrong)).create(creation_options(browser)))
    assert (response.status_code, code_of(response)) == (400, "FIDO_REGISTRATION_WRONG")
    user = world.admin.get(f"/admin/rest/users/{person.name}").json()["data"]["attributes"]
    assert user["fidoCredentials"] == []


def test_a_credential_id_is_registered_once_for_whomever(world: World) -> None:
    """Nobody can shadow another user's key."""
    _, key = person_with_key(world)
    browser = logged_in(world, world.person())
    response = register(browser, key.create(creation_options(browser)))
    assert (response.status_code, code_of(response)) == (409, "FIDO_CREDENTIAL_EXISTS")


def test_an_assertion_is_no_registration_and_the_other_way_round(world: World) -> None:
    """A challenge is for one purpose."""
    person, key = person_with_key(world)
    browser = logged_in(world, person)
    credential = SoftKey(world.server.origin).create(creation_options(browser))
    assert code_of(hand_in(browser, key.get({"challenge": "AAAA"}))) == "UNEXPECTED_CALL"
    assert register(browser, credential).status_code == 200
    assert code_of(register(browser, credential)) == "UNEXPECTED_CALL"


USER_VERIFIED_TOO = USER_PRESENT | USER_VERIFIED


def at_the_lounge(world: World) -> tuple[Browser, dict[str, Any]]:
    """Nobody has said who they are, and the options for their key."""
    browser = world.browser()
    assert next_of(browser.access("lounge")) == "FIDO_AUTHENTICATION_CHALLENGE_RETRIEVAL_REQUIRED"
    return browser, request_options(browser)


def test_a_discoverable_credential_is_first_and_only_factor(world: World) -> None:
    """No name is typed: the key says whose it is; the user must be verified."""
    person, key = person_with_key(world, flags=USER_VERIFIED_TOO)
    browser, options = at_the_lounge(world)
    assert options.get("allowCredentials", []) == []
    assert options["userVerification"] == "required"
    assert next_of(hand_in(browser, key.get(options, bytes.fromhex(person.id)))) is None
    assert browser.session().json()["data"]["attributes"]["username"] == person.name


def test_a_key_alone_must_verify_its_user_and_say_who_it_is(world: World) -> None:
    """A touch is not enough; no user handle, another user's, one that nobody has: all are refused."""
    person, key = person_with_key(world, flags=USER_VERIFIED_TOO)
    other, _ = person_with_key(world)
    for wrong, handle in (
        (replace(key, flags=USER_PRESENT), bytes.fromhex(person.id)),
        (key, None),
        (key, bytes.fromhex(other.id)),
        (key, b"nobody at all..."),
        (key, b"x" * 64),
    ):
        browser, options = at_the_lounge(world)
        response = hand_in(browser, wrong.get(options, handle))
        assert (response.status_code, code_of(response)) == (400, "FIDO_ASSERTION_WRONG")
        assert browser.session().status_code == 401


def test_a_key_that_no_policy_lets_in_is_in_the_audit_log_and_its_answer_is_spent(
    tmp_path: Path, settings: Settings
) -> None:
    """Why somebody was denied must be found later, and the same answer must not work once a policy does let them in."""
    policies = tmp_path / "policies.toml"
    policy = 'name = "a key is enough for the lounge"\n'
    policies.write_text(DEFAULT_FILE.read_text().replace(policy, policy + 'groups = ["members"]\n'))
    with own_world(settings, policies_file=policies) as world:
        person, key = person_with_key(world, flags=USER_VERIFIED_TOO)
        browser, options = at_the_lounge(world)
        answer = key.get(options, bytes.fromhex(person.id))
        denied = hand_in(browser, answer)
        assert (denied.status_code, code_of(denied)) == (403, "ACCESS_DENIED")
        [entry] = [row for row in world.audit() if row["event"] == "policy" and row["user"] == person.id][-1:]
        assert entry["outcome"] == "denied"
        assert any("members" in reason for reason in entry["detail"]["why"])
        assert (
            world.admin.put(f"/admin/rest/users/{person.name}/groups", json={"groups": ["members"]}).status_code == 200
        )
        assert code_of(hand_in(browser, answer)) == "UNEXPECTED_CALL"
        fresh = key.get(request_options(browser), bytes.fromhex(person.id))
        assert next_of(hand_in(browser, fresh)) is None


def test_keys_have_names_and_can_be_renamed_and_removed(world: World) -> None:
    """One's own only; a removed key opens nothing."""
    url = "/auth/rest/protected/self-service/fido/credentials"
    person, key = person_with_key(world)
    browser = logged_in(world, person)
    second = SoftKey(world.server.origin)
    register(browser, second.create(creation_options(browser)))
    ids = [each["id"] for each in browser.client.get(url).json()["data"]]
    assert len(ids) == 2
    assert browser.client.put(f"{url}/{ids[0]}", json={"displayName": "Red key"}).status_code == 200
    thief = logged_in(world, world.person())
    for response in (
        thief.client.delete(f"{url}/{ids[0]}"),
        thief.client.put(f"{url}/{ids[0]}", json={"displayName": "x"}),
    ):
        assert (response.status_code, code_of(response)) == (404, "FIDO_CREDENTIAL_UNKNOWN")
    names = {each["id"]: each["attributes"]["displayName"] for each in browser.client.get(url).json()["data"]}
    assert names == {ids[0]: "Red key", ids[1]: "Blue key"}
    assert browser.client.delete(f"{url}/{ids[0]}").json()["data"]["attributes"]["displayName"] == "Red key"
    at, options = at_the_key(world, person)
    assert code_of(hand_in(at, key.get(options))) == "FIDO_ASSERTION_WRONG"
    assert hand_in(at, second.get(request_options(at))).status_code == 200


@pytest.mark.parametrize(("policy", "status"), [("refuse", 400), ("alarm", 200)])
def test_a_counter_that_does_not_grow_raises_an_alarm_and_follows_the_policy(
    settings: Settings, policy: str, status: int
) -> None:
    """Refused, or let in with an alarm; the counter does not go back."""
    with own_world(settings, fido_counter_regression=policy) as world:
        person, key = person_with_key(world, sign_count=5)
        browser, options = at_the_key(world, person)
        assert hand_in(browser, replace(key, sign_count=3).get(options)).status_code == status
        [alarm] = [row for row in world.audit() if row["event"] == "alarm"]
        assert (alarm["outcome"], alarm["user"]) == ("signature counter did not grow", person.id)
        browser, options = at_the_key(world, person)
        assert hand_in(browser, replace(key, sign_count=4).get(options)).status_code == status


def test_a_key_tells_when_it_was_registered_and_used_last(settings: Settings) -> None:
    """So that its owner notices a use that was not theirs."""
    with own_world(settings) as world:
        person, key = person_with_key(world)
        url = "/auth/rest/protected/self-service/fido/credentials"

        def told() -> tuple[str, str | None]:
            [only] = logged_in(world, person).client.get(url).json()["data"]
            return only["attributes"]["registeredAt"], only["attributes"]["lastUsedAt"]

        registered, never = told()
        assert never is None
        world.clock.advance(86400)
        browser, options = at_the_key(world, person)
        hand_in(browser, key.get(options))
        again, used = told()
        assert again == registered
        assert used is not None
        assert used > registered
