from pathlib import Path
from typing import Any

import httpx
import pytest

from offline_qr.otq1 import Challenge, Field, MessageType, Tag, compute_code, compute_decline_code, derive_keys
from server_stub.policy_file import DEFAULT_FILE
from server_stub.settings import Settings
from tests.server_stub.world import APPROVAL, SEED, Device, Person, World, code_of, off_by_one, own_world

PAYMENT = {
    "amount": "1250.00",
    "currency": "CHF",
    "account": "CH9300762011623852957",
    "beneficiary": "Müller & Söhne AG",
    "reference": "Rechnung 2026-0815",
}


class Bank:
    """A business application that wants a payment approved."""

    def __init__(self, world: World) -> None:
        self.client = world.internal()

    def post(self, path: str, body: object = None) -> httpx.Response:
        """POST under the approval's base path."""
        return self.client.post(f"{APPROVAL}{path}", json={} if body is None else body)

    def begin(self, person: Person, payment: dict[str, str] | None = None) -> httpx.Response:
        """Everything up to the parameters."""
        self.post("/flows/payment/select")
        self.post("/user/identify/", {"username": person.name})
        return self.post("/parameters/", {"messageParameters": payment or PAYMENT})

    def qr(self) -> str:
        """The text of the QR code."""
        response = self.post("/offline-qr-code/retrieve/", {"image": False})
        assert response.status_code == 200, response.text
        return str(response.json()["data"]["attributes"]["content"])

    def otp(self, code: str) -> httpx.Response:
        """The code that the customer typed."""
        return self.post("/otp/check/", {"otp": code})


@pytest.fixture
def customer(world: World) -> tuple[Bank, Person, Device]:
    """A bank and a customer with a token."""
    person = world.person()
    return Bank(world), person, world.device(person)


def step(response: httpx.Response) -> Any:
    """The next step, from a good answer or a refusal."""
    document = response.json()
    return (document["data"]["attributes"] if "data" in document else document["meta"])["nextStep"]


def test_a_payment_is_approved_with_the_code_for_what_the_token_showed(customer: tuple[Bank, Person, Device]) -> None:
    """Amount, account and beneficiary first, as people write them; the answer holds the server's own record."""
    bank, person, device = customer
    assert step(bank.post("/flows/payment/select")) == "USERNAME_REQUIRED"
    assert step(bank.post("/user/identify/", {"username": person.name})) == "PARAMETERS_REQUIRED"
    parameters = bank.post("/parameters/", {"messageParameters": PAYMENT})
    assert step(parameters) == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
    content = bank.qr()
    challenge = device.read(content)
    assert challenge.header.type == MessageType.TRANSACTION
    assert [(field.tag, field.value) for field in challenge.fields] == [
        (Tag.AMOUNT, "CHF 1'250.00"),
        (Tag.TO_ACCOUNT, "CH93 0076 2011 6238 5295 7"),
        (Tag.BENEFICIARY, "Müller & Söhne AG"),
        (Tag.REFERENCE, "Rechnung 2026-0815"),
    ]
    response = bank.otp(device.code(content))
    assert response.json()["data"]["attributes"] == {"nextStep": None, "approved": PAYMENT}


def test_the_code_of_a_payment_whose_amount_was_changed_on_the_way_is_refused(
    customer: tuple[Bank, Person, Device],
) -> None:
    """The token showed and signed something else than the server recorded."""
    bank, person, device = customer
    bank.begin(person)
    real = device.read(bank.qr())
    changed = Challenge(real.header, (Field(Tag.AMOUNT, "CHF 9'250.00"), *real.fields[1:]))
    response = bank.otp(compute_code(changed, derive_keys(device.serial, SEED)))
    assert (response.status_code, code_of(response)) == (400, "OTP_WRONG")
    assert step(response) == "AIRLOCK_2FA_OTP_REQUIRED"


def test_parameters_cannot_be_changed_once_they_are_recorded(customer: tuple[Bank, Person, Device]) -> None:
    """What was shown is what is approved."""
    bank, person, device = customer
    bank.begin(person)
    content = bank.qr()
    changed = bank.post("/parameters/", {"messageParameters": PAYMENT | {"amount": "9250.00"}})
    assert code_of(changed) == "UNEXPECTED_CALL"
    assert bank.otp(device.code(content)).json()["data"]["attributes"]["approved"] == PAYMENT


def test_one_digit_off_three_times_ends_the_challenge(customer: tuple[Bank, Person, Device]) -> None:
    """A new one can be asked for; the same payment is approved with it."""
    bank, person, device = customer
    bank.begin(person)
    code = device.code(bank.qr())
    steps = [step(bank.otp(off_by_one(code))) for _ in range(3)]
    assert steps[2] == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
    assert code_of(bank.otp(code)) == "UNEXPECTED_CALL"
    assert bank.otp(device.code(bank.qr())).status_code == 200


def test_a_code_approves_one_payment_once(customer: tuple[Bank, Person, Device]) -> None:
    """Neither the same payment again nor an equal one."""
    bank, person, device = customer
    bank.begin(person)
    code = device.code(bank.qr())
    assert bank.otp(code).status_code == 200
    assert code_of(bank.otp(code)) == "UNEXPECTED_CALL"
    bank.begin(person)
    bank.qr()
    assert code_of(bank.otp(code)) == "OTP_WRONG"


def test_a_login_code_signs_no_payment(world: World, customer: tuple[Bank, Person, Device]) -> None:
    """The classic fraud: the victim believes to log in."""
    bank, person, device = customer
    browser = world.browser()
    browser.access("ebanking")
    browser.password(person.name)
    login = device.code(browser.qr())
    bank.begin(person)
    bank.qr()
    assert code_of(bank.otp(login)) == "OTP_WRONG"


def test_a_payment_takes_five_minutes_at_most(world: World, customer: tuple[Bank, Person, Device]) -> None:
    """Then a new QR code is due."""
    bank, person, device = customer
    bank.begin(person)
    code = device.code(bank.qr())
    world.clock.advance(301)
    response = bank.otp(code)
    assert code_of(response) == "OTP_EXPIRED"
    assert step(response) == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"


def test_with_several_tokens_the_bank_says_which(world: World, customer: tuple[Bank, Person, Device]) -> None:
    """And it must be one of the customer's."""
    bank, person, device = customer
    world.device(person)
    stranger = world.device(world.person())
    assert code_of(bank.begin(person)) == "AIRLOCK_2FA_DEVICE_CHOICE_REQUIRED"
    foreign = {"messageParameters": PAYMENT, "authTokenId": stranger.id}
    assert code_of(bank.post("/parameters/", foreign)) == "DEVICE_UNKNOWN"
    assert bank.post("/parameters/", {"messageParameters": PAYMENT, "authTokenId": device.id}).status_code == 200
    assert bank.otp(device.code(bank.qr())).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "1'250.00"},
        {"amount": "1250.0"},
        {"amount": "-1"},
        {"amount": "01"},
        {"amount": "1250.00\n"},
        {"currency": "chf"},
        {"account": ""},
        {"beneficiary": "Mallory\u202eecila"},
        {"beneficiary": "Velo Müller\nAmount: CHF 1.00"},
        {"hidden": "not shown, so not approved"},
    ],
)
def test_a_payment_that_cannot_be_shown_exactly_is_refused(
    customer: tuple[Bank, Person, Device], wrong: dict[str, str]
) -> None:
    """When it is recorded, before anything is asked."""
    bank, person, _ = customer
    response = bank.begin(person, PAYMENT | wrong)
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


def test_steps_out_of_order_are_unexpected_calls(customer: tuple[Bank, Person, Device]) -> None:
    """And without a flow there is no session at all."""
    bank, person, _ = customer
    assert code_of(bank.otp("12345678")) == "NOT_AUTHORIZED"
    assert code_of(bank.post("/flows/treason/select")) == "FLOW_NOT_FOUND"
    bank.post("/flows/payment/select")
    assert code_of(bank.otp("12345678")) == "UNEXPECTED_CALL"
    assert code_of(bank.post("/parameters/", {"messageParameters": PAYMENT})) == "UNEXPECTED_CALL"
    assert code_of(bank.post("/user/identify/", {"username": "nobody-at-all"})) == "USER_NOT_FOUND"
    assert bank.post("/user/identify/", {"username": person.name}).status_code == 200
    assert code_of(bank.post("/user/identify/", {"username": person.name})) == "UNEXPECTED_CALL"


def test_an_approved_payment_is_in_the_audit_log_as_recorded(
    world: World, customer: tuple[Bank, Person, Device]
) -> None:
    """Who approved what, and when."""
    bank, person, device = customer
    bank.begin(person)
    bank.otp(device.code(bank.qr()))
    approved = [row for row in world.audit() if row["event"] == "transaction" and row["user"] == person.id]
    assert [row["outcome"] for row in approved] == ["approved"]
    assert approved[0]["detail"]["transaction"] == PAYMENT


def test_a_flow_of_the_policy_file_shows_what_its_templates_say(customer: tuple[Bank, Person, Device]) -> None:
    """Another flow, other parameters, and no advice against it."""
    bank, person, device = customer
    assert step(bank.post("/flows/limit/select")) == "USERNAME_REQUIRED"
    bank.post("/user/identify/", {"username": person.name})
    parameters = {"currency": "CHF", "amount": "5000", "account": "CH9300762011623852957"}
    told = bank.post("/parameters/", {"messageParameters": parameters})
    assert "warnings" not in told.json()["data"]["attributes"]
    content = bank.qr()
    assert [(field.display_label, field.value) for field in device.read(content).fields] == [
        ("New limit", "CHF 5'000 a day"),
        ("From account", "CH93 0076 2011 6238 5295 7"),
    ]
    assert bank.otp(device.code(content)).json()["data"]["attributes"]["approved"] == parameters


def test_what_is_hard_to_read_is_warned_about_and_done(customer: tuple[Bank, Person, Device]) -> None:
    """Four fields are more than the advice, and less than the token can show."""
    bank, person, _ = customer
    told = bank.begin(person).json()["data"]["attributes"]
    assert told["warnings"] == ["4 fields are shown, at most 3 are advised"]


def test_a_parameter_that_would_not_be_shown_is_refused(customer: tuple[Bank, Person, Device]) -> None:
    """In a payment and in a flow of the policy file; then the right ones still work."""
    bank, person, _ = customer
    refused = bank.begin(person, PAYMENT | {"note": "hidden"})
    assert (refused.status_code, code_of(refused)) == (400, "BAD_REQUEST")
    assert "note" in refused.json()["errors"][0]["detail"]
    assert bank.post("/parameters/", {"messageParameters": PAYMENT}).status_code == 200


def decline(device: Device, content: str) -> str:
    """What the token shows when Cancel is held."""
    return compute_decline_code(device.read(content), derive_keys(device.serial, SEED))


def test_a_declined_payment_is_denied_for_good_and_raises_an_alarm(
    world: World, customer: tuple[Bank, Person, Device]
) -> None:
    """Not even the right code helps after that."""
    bank, person, device = customer
    bank.begin(person)
    content = bank.qr()
    denied = bank.otp(decline(device, content))
    assert (denied.status_code, code_of(denied)) == (403, "TRANSACTION_DENIED")
    assert step(denied) == "DENIED"
    for again in (bank.otp(device.code(content)), bank.post("/offline-qr-code/retrieve/", {"image": False})):
        assert code_of(again) == "UNEXPECTED_CALL"
    rows = [(row["event"], row["outcome"]) for row in world.audit() if row["user"] == person.id]
    assert ("transaction", "denied") in rows
    assert ("alarm", "transaction declined on the token") in rows


def test_a_decline_is_for_its_own_challenge_and_no_wrong_attempt(
    world: World, customer: tuple[Bank, Person, Device]
) -> None:
    """The decline code of another challenge is only a wrong code."""
    bank, person, device = customer
    bank.begin(person)
    old, content = bank.qr(), bank.qr()
    assert code_of(bank.otp(decline(device, old))) == "OTP_WRONG"
    assert code_of(bank.otp(decline(device, content))) == "TRANSACTION_DENIED"
    locks = world.admin.get(f"/admin/rest/users/{person.name}/locks").json()["data"]["attributes"]
    assert locks["wrongAttempts"] == []


def test_a_login_can_be_declined_as_well(world: World) -> None:
    """The session ends, and an operator is told."""
    browser, person, device = world.at_the_qr_code()
    denied = browser.otp(decline(device, browser.qr()))
    assert (denied.status_code, code_of(denied)) == (403, "AIRLOCK_2FA_DENIED")
    assert code_of(browser.otp("12345678")) == "NOT_AUTHORIZED"
    alarms = [row["outcome"] for row in world.audit() if row["event"] == "alarm" and row["user"] == person.id]
    assert alarms == ["login declined on the token"]


@pytest.mark.parametrize("button", ["approve", "deny", ""])
def test_an_app_is_asked_online_first(world: World, button: str) -> None:
    """It approves, denies, or nobody answers: then offline QR."""
    person, bank = world.person(), Bank(world)
    app = world.device_of(person, "app", SEED.hex())
    assert step(bank.begin(person)) == "AIRLOCK_2FA_POLLING_OR_OTP_REQUIRED"
    assert step(bank.post("/status/poll/")) == "AIRLOCK_2FA_POLLING_OR_OTP_REQUIRED"
    [shown] = world.admin.get(f"/admin/rest/users/{person.name}/push-requests").json()["data"]
    assert shown["attributes"]["text"].startswith("Amount: CHF 1'250.00\nTo account: CH93")
    if button:
        world.admin.post(f"/admin/rest/push-requests/{shown['id']}/answer", json={"answer": button})
    else:
        world.clock.advance(61)
    answer = bank.post("/status/poll/")
    if button == "approve":
        assert answer.json()["data"]["attributes"] == {"nextStep": None, "approved": PAYMENT}
    elif button == "deny":
        assert (code_of(answer), step(answer)) == ("TRANSACTION_DENIED", "DENIED")
    else:
        assert code_of(answer) == "AIRLOCK_2FA_TIMEOUT"
        assert step(answer) == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
        assert bank.otp(app.code(bank.qr())).status_code == 200


@pytest.mark.parametrize(("described", "expected"), [(False, 401), (True, 200)])
def test_who_selects_no_flow_gets_the_one_for_old_callers_where_there_is_one(
    settings: Settings, tmp_path: Path, *, described: bool, expected: int
) -> None:
    """Where the policy file describes none, a flow must be selected first."""
    policies = tmp_path / "policies.toml"
    policies.write_text(DEFAULT_FILE.read_text("utf-8") + "\n[approvals.legacy-default-flow]\n")
    with own_world(settings, policies_file=policies if described else None) as world:
        person, client = world.person(), world.internal()
        world.device(person)
        answer = client.post(f"{APPROVAL}/user/identify", json={"username": person.name})
        assert answer.status_code == expected
        if described:
            answer = client.post(f"{APPROVAL}/parameters", json={"messageParameters": PAYMENT})
            assert answer.json()["data"]["attributes"]["nextStep"] == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"


def test_an_app_shows_all_of_what_is_approved(world: World) -> None:
    """Up to the last letter of the last field; what is longer than a device can show is refused, and nobody is asked."""
    bank, person = Bank(world), world.person()
    world.device_of(person, "app", SEED.hex())
    texts = f"/admin/rest/users/{person.name}/push-requests"

    def ask(reason: str) -> httpx.Response:
        bank.post("/flows/limit/select")
        bank.post("/user/identify/", {"username": person.name})
        parameters = {"currency": "C" * 100, "amount": "1.00", "account": "A" * 100, "reason": reason}
        return bank.post("/parameters/", {"messageParameters": parameters})

    told = ask("to the last letter")
    assert step(told) == "AIRLOCK_2FA_POLLING_OR_OTP_REQUIRED"
    bank.post("/status/poll")
    [shown] = world.admin.get(texts).json()["data"]
    assert shown["attributes"]["text"].endswith("\nReference: to the last letter")
    assert bank.qr()
    refused = ask("x" * 100)
    assert (refused.status_code, code_of(refused)) == (400, "BAD_REQUEST")
    assert step(refused) == "PARAMETERS_REQUIRED"
