"""The rig's clients against the real server: each of their calls is one that it knows."""

from authrig.ports.server import Administrator, Bank, Browser
from server_stub.cloud.hotp import hotp
from tests.server_stub.api.test_fido import person_with_key
from tests.server_stub.api.test_transaction_approval import PAYMENT
from tests.server_stub.world import PASSWORD, SEED, World

KEY = bytes(range(20))


def test_an_administrator_keeps_house(world: World) -> None:
    """Tokens in and out, badges void, locks off, reasons told."""
    name = world.person().name
    with Administrator(world.server.internal_url, world.server.admin_token) as admin:
        device = admin.assign_token(name, "hotp", "CLIENT-1", KEY, counter=3)
        admin.import_tokens(f"serial,kind,seed_hex\nCLIENT-2,qr,{SEED.hex()}".encode())
        [stock] = [each for each in admin.tokens() if each["attributes"]["serial"] == "CLIENT-2"]
        admin.give_token(name, stock["id"])
        admin.set_token_state(stock["id"], "suspended")
        admin.take_token(name, stock["id"])
        admin.unlock_user(name)
        admin.unlock_token(name, device)
        admin.resync_token(name, device, hotp(KEY, 50, 6), hotp(KEY, 51, 6))
        admin.make_badge(name, "secure")
        admin.void_badges(name)
        assert admin.explain(application="portal", username=name, firstMethod="PASSWORD")["flow"]
        assert admin.verify_audit()["intact"] is True


def test_a_browser_and_a_bank_are_asked_on_an_app(world: World) -> None:
    """The administrator's client is the finger on the app."""
    name = world.person().name
    with (
        Administrator(world.server.internal_url, world.server.admin_token) as admin,
        Browser(world.server.public_url) as browser,
        Bank(world.server.internal_url) as bank,
    ):
        app = admin.assign_token(name, "app", "CLIENT-APP", SEED)
        browser.access("portal", "/portal/mail")
        browser.check_password(name, PASSWORD)
        assert [each["id"] for each in browser.devices().body["data"]] == [app]
        assert browser.select_device(app).outcome == "AIRLOCK_2FA_POLLING_OR_OFFLINE_REQUIRED"
        browser.poll()
        admin.answer_push_request(admin.push_requests(name)[0]["id"], "approve")
        assert browser.poll().attribute("redirectUri") == "/portal/mail"
        assert browser.remember_device("desk").status == 201
        bank.select("limit")
        bank.identify(name)
        bank.parameters({"currency": "CHF", "amount": "1", "account": "1"})
        bank.poll()
        admin.answer_push_request(admin.push_requests(name)[0]["id"], "deny")
        assert bank.poll().outcome == "TRANSACTION_DENIED"
    with Browser(world.server.public_url) as other:
        other.access("kiosk")
        assert other.check_device_token().outcome == "DEVICE_NOT_REMEMBERED"
        assert other.retrieve_oidc_authorization("x").outcome == "UNEXPECTED_CALL"
        assert other.check_oidc_response("x", state="a", code="b").outcome == "UNEXPECTED_CALL"
        assert other.check_sso_ticket("a.b.c").outcome == "TICKET_WRONG"
        assert other.check_username(name).outcome == "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"


def test_a_bank_asks_a_key(world: World) -> None:
    """The client carries what the key signed, and nothing of its own."""
    person, key = person_with_key(world)
    with Bank(world.server.internal_url) as bank:
        bank.select("payment")
        bank.identify(person.name)
        assert bank.parameters(PAYMENT, "FIDO").outcome == "FIDO_AUTHENTICATION_CHALLENGE_RETRIEVAL_REQUIRED"
        options = bank.retrieve_fido_challenge().attribute("publicKey")
        assert bank.check_fido_assertion(key.get(options)).attribute("approved") == PAYMENT
