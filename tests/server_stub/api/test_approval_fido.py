"""Transactions approved with a key, over real HTTP."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from server_stub.settings import Settings, database_of
from server_stub.store.database import Database
from server_stub.store.iam import approvals, metadata
from tests.server_stub.api.test_fido import person_with_key
from tests.server_stub.api.test_transaction_approval import PAYMENT, Bank, step
from tests.server_stub.soft_key import SoftKey
from tests.server_stub.world import Person, World, code_of, own_world

RETRIEVE, RESPOND = "FIDO_AUTHENTICATION_CHALLENGE_RETRIEVAL_REQUIRED", "FIDO_AUTHENTICATION_RESPONSE_REQUIRED"


@pytest.fixture
def customer(world: World) -> tuple[Bank, Person, SoftKey]:
    """A bank and a customer with a key."""
    person, key = person_with_key(world)
    return Bank(world), person, key


def options_of(bank: Bank) -> dict[str, Any]:
    """What the key is asked."""
    response = bank.post("/fido/challenge/retrieve/")
    assert response.status_code == 200, response.text
    assert step(response) == RESPOND
    return dict(response.json()["data"]["attributes"]["publicKey"])


def hand_in(bank: Bank, credential: dict[str, Any]) -> httpx.Response:
    """What the key said."""
    return bank.post("/fido/assertion/check/", {"credential": credential})


def test_a_payment_is_approved_with_the_touch_of_a_key(world: World, customer: tuple[Bank, Person, SoftKey]) -> None:
    """The answer holds the server's own record; the audit log holds which key, and what it signed."""
    bank, person, key = customer
    assert step(bank.begin(person)) == RETRIEVE
    options = options_of(bank)
    assert [each["id"] for each in options["allowCredentials"]] == [key.get(options)["id"]]
    response = hand_in(bank, key.get(options))
    assert response.json()["data"]["attributes"] == {"nextStep": None, "approved": PAYMENT}
    [row] = [each for each in world.audit() if each["event"] == "transaction" and each["user"] == person.id]
    assert row["detail"]["challenge"] == options["challenge"]
    assert row["detail"]["credential"] == key.credential_id.hex()
    assert code_of(hand_in(bank, key.get(options))) == "UNEXPECTED_CALL"


def test_the_challenge_stands_for_the_transaction(customer: tuple[Bank, Person, SoftKey]) -> None:
    """Whoever keeps the signed client data can show what was approved: the second half is a hash of it."""
    bank, person, _ = customer
    bank.begin(person)
    challenge = base64.urlsafe_b64decode(options_of(bank)["challenge"] + "==")
    references = (f"approval-{n}" for n in range(1, 5000))
    told = sorted([name, value] for name, value in PAYMENT.items())
    candidates = (
        json.dumps([each, "payment", person.id, told], separators=(",", ":"), ensure_ascii=False) for each in references
    )
    assert challenge[32:] in (hashlib.sha256(challenge[:32] + each.encode()).digest() for each in candidates)


WRONG: dict[str, Callable[[SoftKey, dict[str, Any]], dict[str, Any]]] = {
    "challenge of another payment": lambda key, options: key.get(options | {"challenge": "AAAA"}),
    "key of somebody else": lambda key, options: SoftKey(key.origin).get(options),
    "another site": lambda key, options: SoftKey(
        "https://evil.example", private_key=key.private_key, credential_id=key.credential_id
    ).get(options),
    "nobody there": lambda key, options: SoftKey(
        key.origin, flags=0, private_key=key.private_key, credential_id=key.credential_id
    ).get(options),
}


@pytest.mark.parametrize("how", WRONG)
def test_a_wrong_assertion_approves_nothing_and_spends_its_challenge(
    customer: tuple[Bank, Person, SoftKey], how: str
) -> None:
    """A new challenge can be asked for; the right key then still approves the same payment."""
    bank, person, key = customer
    bank.begin(person)
    options = options_of(bank)
    refused = hand_in(bank, WRONG[how](key, options))
    assert (refused.status_code, code_of(refused), step(refused)) == (400, "FIDO_ASSERTION_WRONG", RETRIEVE)
    assert code_of(hand_in(bank, key.get(options))) == "UNEXPECTED_CALL"
    assert hand_in(bank, key.get(options_of(bank))).json()["data"]["attributes"]["approved"] == PAYMENT


def test_an_assertion_for_one_payment_approves_no_other(customer: tuple[Bank, Person, SoftKey]) -> None:
    """Not even an equal one of the same customer, at the same time."""
    bank, person, key = customer
    other = Bank.__new__(Bank)
    other.client = httpx.Client(base_url=bank.client.base_url, headers=bank.client.headers)
    with other.client:
        bank.begin(person)
        other.begin(person)
        options_of(other)
        assert code_of(hand_in(other, key.get(options_of(bank)))) == "FIDO_ASSERTION_WRONG"


def test_a_login_challenge_approves_nothing(world: World, customer: tuple[Bank, Person, SoftKey]) -> None:
    """What is signed at the login page does not pay."""
    bank, person, key = customer
    bank.begin(person)
    options_of(bank)
    browser = world.browser()
    browser.access("vpn")
    browser.password(person.name)
    login = browser.post("/fido/challenge/retrieve/").json()["data"]["attributes"]["publicKey"]
    assert code_of(hand_in(bank, key.get(login))) == "FIDO_ASSERTION_WRONG"


def test_a_challenge_ends_after_its_time(settings: Settings) -> None:
    """And then the key is asked anew."""
    with own_world(settings) as world:
        person, key = person_with_key(world)
        bank = Bank(world)
        bank.begin(person)
        answer = key.get(options_of(bank))
        world.clock.advance(121)
        late = hand_in(bank, answer)
        assert (code_of(late), step(late)) == ("UNEXPECTED_CALL", RETRIEVE)


def test_a_record_that_was_changed_in_the_database_is_not_approved(settings: Settings) -> None:
    """The key signed for what was recorded when it was asked."""
    with own_world(settings) as world:
        person, key = person_with_key(world)
        bank = Bank(world)
        bank.begin(person)
        answer = key.get(options_of(bank))
        database = Database(database_of(settings, "iam"), metadata)
        changed = update(approvals).values(transaction=json.dumps(PAYMENT | {"amount": "9250.00"}))
        database.run_now(lambda connection: connection.execute(changed))
        database.close()
        refused = hand_in(bank, answer)
        assert code_of(refused) == "FIDO_ASSERTION_WRONG"
        assert "another transaction" in refused.text


def test_who_has_a_token_and_a_key_may_choose(world: World, customer: tuple[Bank, Person, SoftKey]) -> None:
    """Without a word it is the flow's first method that they have something for."""
    bank, person, key = customer
    device = world.device(person)
    body: dict[str, Any] = {"messageParameters": PAYMENT}

    def choose(**more: str) -> httpx.Response:
        bank.post("/flows/payment/select")
        bank.post("/user/identify/", {"username": person.name})
        return bank.post("/parameters/", body | more)

    token = "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
    assert step(choose()) == step(choose(authTokenId=device.id)) == step(choose(method="AIRLOCK_2FA")) == token
    assert code_of(choose(method="FIDO", authTokenId=device.id)) == "BAD_REQUEST"
    assert step(choose(method="FIDO")) == RETRIEVE
    assert code_of(bank.post("/offline-qr-code/retrieve/")) == "UNEXPECTED_CALL"
    assert hand_in(bank, key.get(options_of(bank))).status_code == 200


def test_a_flow_that_names_no_keys_takes_none(world: World, customer: tuple[Bank, Person, SoftKey]) -> None:
    """As all flows were before keys could approve."""
    bank, person, _ = customer
    bank.post("/flows/limit/select")
    bank.post("/user/identify/", {"username": person.name})
    body: dict[str, Any] = {"messageParameters": {"currency": "CHF", "amount": "1.00", "account": "1"}}
    assert code_of(bank.post("/parameters/", body | {"method": "FIDO"})) == "APPROVAL_METHOD_NOT_ALLOWED"
    assert code_of(bank.post("/parameters/", body)) == "DEVICE_UNKNOWN"
    stranger = world.person()
    bank.post("/flows/payment/select")
    bank.post("/user/identify/", {"username": stranger.name})
    payment: dict[str, Any] = {"messageParameters": PAYMENT}
    assert code_of(bank.post("/parameters/", payment | {"method": "FIDO"})) == "FIDO_NO_CREDENTIAL"
    assert code_of(bank.post("/parameters/", payment)) == "DEVICE_UNKNOWN"


@pytest.mark.parametrize("then", ["refuse", "alarm"])
def test_a_counter_that_falls_is_an_alarm_and_the_policy_decides(settings: Settings, then: Any) -> None:
    """As at a login."""
    with own_world(settings, fido_counter_regression=then) as world:
        person, key = person_with_key(world, sign_count=7)
        key.sign_count = 3
        bank = Bank(world)
        bank.begin(person)
        response = hand_in(bank, key.get(options_of(bank)))
        assert response.status_code == (400 if then == "refuse" else 200)
        assert [row["outcome"] for row in world.audit() if row["event"] == "alarm"] == [
            "signature counter did not grow"
        ]
