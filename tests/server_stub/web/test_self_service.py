"""One's own keys and browsers: the forms, without a script. Registering a key needs one: see test_in_chromium."""

import base64
import re

import httpx
import pytest

from server_stub.cloud.hotp import hotp
from server_stub.settings import Settings
from tests.server_stub.soft_key import SoftKey
from tests.server_stub.web.browsing import Visitor
from tests.server_stub.world import NO_TLS, SEED, Person, World, own_world

REGISTRATION = "/auth/rest/protected/self-service/fido/registration"


def with_a_key(world: World, name: str = "green key") -> tuple[Visitor, Person]:
    """Someone in self-service who has registered a key by the REST."""
    person, visitor = world.person(), Visitor(world)
    visitor.log_in("self-service", person.name)
    register(world, visitor, name)
    visitor.open("/self-service/")
    return visitor, person


def register(world: World, visitor: Visitor, name: str = "green key") -> SoftKey:
    """A new key of whoever is logged in."""
    client, same = visitor.client, {"X-Same-Domain": "1"}
    asked = client.post(f"{REGISTRATION}/challenge/retrieve", json={"displayName": name}, headers=same).json()
    key = SoftKey(world.server.origin)
    credential = key.create(asked["data"]["attributes"]["publicKey"])
    made = client.post(f"{REGISTRATION}/check", json={"credential": credential}, headers=same)
    assert made.status_code == 200, made.text
    return key


def test_a_key_says_when_it_was_used_last(world: World) -> None:
    """And before that, that it was not."""
    visitor, person = with_a_key(world)
    assert "not used yet" in visitor.page.text
    key = register(world, visitor, "red key")
    browser = world.browser()
    browser.access("vpn")
    browser.password(person.name)
    asked = browser.post("/fido/challenge/retrieve/").json()["data"]["attributes"]["publicKey"]
    assert browser.post("/fido/assertion/check/", {"credential": key.get(asked)}).status_code == 200
    visitor.open("/self-service/")
    assert "last used on 20" in visitor.page.text
    assert "not used yet" in visitor.page.text


def test_a_key_gets_another_name(world: World) -> None:
    """And is listed by it."""
    visitor, _ = with_a_key(world)
    visitor.send("/rename", name="red key")
    assert visitor.path == "/self-service/"
    assert "The key has its new name." in visitor.page.text
    assert "red key" in visitor.page.text
    assert "green key" not in visitor.page.text


def test_a_key_is_removed(world: World) -> None:
    """And a second time from an older page: it says that there is none."""
    visitor, _ = with_a_key(world)
    form = next(each for each in visitor.page.forms if each.action.endswith("/remove"))
    visitor.post(form.action, form.fields)
    assert "You have registered no key yet." in visitor.page.text
    visitor.post(form.action, form.fields)
    assert "no such key" in visitor.error


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "\"'><b>", "{{ 7 * 7 }}", "{username}", "ключ 🔑"])
def test_names_of_keys_are_text(world: World, name: str) -> None:
    """Whatever someone calls a key, the page shows just that."""
    visitor, _ = with_a_key(world, name)
    assert name in visitor.page.text
    assert not [each for tag, each in visitor.page.elements if tag in {"img", "b"}]


@pytest.mark.parametrize("name", ["", "   ", "x" * 65])
def test_a_name_that_is_none_is_refused(world: World, name: str) -> None:
    """The old one stays."""
    visitor, _ = with_a_key(world)
    visitor.send("/rename", name=name)
    assert visitor.error
    assert "green key" in visitor.page.text


def test_the_key_of_somebody_else_is_left_alone(world: World) -> None:
    """Knowing its id is not enough."""
    owner, _ = with_a_key(world)
    form = next(each for each in owner.page.forms if each.action.endswith("/remove"))
    thief = Visitor(world)
    thief.log_in("self-service", world.person().name)
    state = next(each.fields["state"] for each in thief.page.forms if "state" in each.fields)
    thief.post(form.action, {"state": state})
    assert "no such key" in thief.error
    owner.open("/self-service/")
    assert "green key" in owner.page.text


def test_a_browser_is_remembered_and_forgotten(world: World) -> None:
    """The kiosk then knows it, until it does not."""
    person, visitor = world.person(), Visitor(world)
    world.device(person)
    visitor.log_in("self-service", person.name)
    visitor.send("/browsers", name="my laptop")
    assert "This browser is remembered." in visitor.page.text
    visitor.send("/logout")
    visitor.open("/login/kiosk")
    visitor.send("/device-token")
    assert "Scan the QR code" in visitor.page.text
    assert person.name in visitor.page.text
    visitor.log_in("self-service", person.name)
    visitor.send("/forget")
    assert "The browser is forgotten." in visitor.page.text
    visitor.open("/login/kiosk")
    visitor.send("/device-token")
    assert "not remembered" in visitor.error


def test_who_is_not_logged_in_is_led_to_the_login(world: World) -> None:
    """A form that comes too late does nothing."""
    visitor, _ = with_a_key(world)
    form = next(each for each in visitor.page.forms if each.action.endswith("/remove"))
    visitor.send("/logout")
    visitor.post(form.action, form.fields)
    assert visitor.path == "/login/self-service"
    assert "not logged in" in visitor.error


def in_stock(world: World, serial: str) -> None:
    """A token that nobody has."""
    content = base64.b64encode(f"serial,kind,seed_hex\n{serial},hotp,{SEED.hex()}\n".encode()).decode()
    made = world.admin.post("/admin/rest/tokens/import", json={"format": "csv", "content": content})
    assert made.status_code == 201, made.text


def test_a_token_is_activated_by_its_code_named_used_and_given_back(world: World) -> None:
    """By what stands on it and what it shows; afterwards it logs in."""
    person, visitor = world.person(), Visitor(world)
    serial = f"OWN-{person.name}"
    in_stock(world, serial)
    visitor.log_in("self-service", person.name)
    assert "no token and no app yet" in visitor.page.text
    visitor.send("/tokens", serial=serial, otp="000000")
    assert "not the right code" in visitor.error
    visitor.send("/tokens", serial=serial, otp=hotp(SEED, 0, 6, "sha1"))
    assert "The token is yours." in visitor.page.text
    visitor.send("/rename", name="my fob <b>")
    assert "my fob <b>" in visitor.page.text
    customer = Visitor(world)
    customer.log_in("portal", person.name)
    customer.send("/code", otp=hotp(SEED, 1, 6, "sha1"))
    assert customer.path == "/portal/"
    visitor.open("/self-service/")
    assert "last used on" in visitor.page.text
    visitor.send("/remove")
    assert "It is removed." in visitor.page.text
    assert "no token and no app yet" in visitor.page.text


@pytest.mark.parametrize("typed", [{"serial": "", "otp": "1"}, {"serial": "A", "otp": ""}, {"serial": "A", "otp": "x"}])
def test_what_activates_nothing_is_refused(world: World, typed: dict[str, str]) -> None:
    """On the same page."""
    visitor = Visitor(world)
    visitor.log_in("self-service", world.person().name)
    visitor.send("/tokens", **typed)
    assert visitor.error
    assert visitor.path == "/self-service/"


def test_the_token_of_somebody_else_is_left_alone(world: World) -> None:
    """Knowing its id is not enough; nor is its serial and a code."""
    owner, thief = world.person(), Visitor(world)
    device = world.device_of(owner, "hotp", SEED.hex())
    thief.log_in("self-service", world.person().name)
    state = next(each.fields["state"] for each in thief.page.forms if "state" in each.fields)
    for path in ("rename", "remove"):
        thief.post(f"/self-service/tokens/{device.id}/{path}", {"state": state, "name": "mine"})
        assert "no such token" in thief.error
    thief.send("/tokens", serial=device.serial, otp=hotp(SEED, 0, 6, "sha1"))
    assert "not the right code" in thief.error


def test_an_app_is_connected_by_the_digits_on_the_page(world: World) -> None:
    """The page keeps its codes when it is loaded again, and says when the app has used them."""
    person, visitor = world.person(), Visitor(world)
    visitor.log_in("self-service", person.name)
    visitor.send("/app")
    assert visitor.path == "/self-service/app"
    digits = re.search(r"\d{4} \d{4} \d{4} \d{4}", visitor.page.text)
    assert digits
    visitor.open("/self-service/app")
    assert digits[0] in visitor.page.text
    visitor.send("/app/check")
    assert "not used the code yet" in visitor.page.text
    body = {"activation_code": digits[0].replace(" ", ""), "serial": f"APP-{person.name}", "display_name": "my phone"}
    with httpx.Client(base_url=world.server.cloud_url, verify=NO_TLS) as app:
        assert app.post("/srv/app/v1/enroll", json=body).status_code in {200, 201}
    visitor.send("/app/check")
    assert "The app is connected." in visitor.page.text
    assert "my phone" in visitor.page.text


def test_the_codes_for_an_app_are_of_who_asked_for_them(world: World) -> None:
    """Whoever logs in afterwards in the same browser does not see them."""
    visitor = Visitor(world)
    visitor.log_in("self-service", world.person().name)
    visitor.send("/app")
    visitor.log_in("classroom", world.person().name)
    visitor.open("/self-service/app")
    assert visitor.path == "/self-service/"


def test_keys_are_managed_while_the_cloud_is_silent(settings: Settings) -> None:
    """Only the part with tokens says that it is."""
    with own_world(settings, cloud_url="http://127.0.0.1:9", cloud_timeout=0.5) as world:
        visitor, _ = with_a_key(world)
        assert "does not answer" in visitor.page.text
        visitor.send("/rename", name="red key")
        assert "red key" in visitor.page.text
