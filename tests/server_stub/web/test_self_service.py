"""One's own keys and browsers: the forms, without a script. Registering a key needs one: see test_in_chromium."""

import pytest

from tests.server_stub.soft_key import SoftKey
from tests.server_stub.web.browsing import Visitor
from tests.server_stub.world import Person, World

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
