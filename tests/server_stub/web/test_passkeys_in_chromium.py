"""Passkeys in Chromium's list for the user name: by Chromium's own authenticator for tests, and by the emulated key."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from server_stub.settings import Settings
from tests.server_stub.web.chromium import Desk, new_desk, plug_in
from tests.server_stub.world import PASSWORD, own_world

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from authrig.rig import Person, Rig

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group("chromium")]
NUMBERS = itertools.count()
OFFERED = "#username[autocomplete='username webauthn']"


@pytest.fixture
def person(rig: Rig) -> Person:
    """Somebody with an account whom no other test knows."""
    return rig.enrol(f"passkeys-{next(NUMBERS)}")


def register(desk: Desk, person: Person) -> None:
    """A passkey, in self-service; logged out afterwards."""
    desk.log_in("self-service", person)
    desk.page.fill("#new-key", "passkey")
    desk.page.click("text=Register the key")
    desk.arrive("/self-service/?done=added")
    desk.page.click("text=Log out")
    desk.arrive("/?done=logged_out")


def virtual_authenticator(desk: Desk) -> None:
    """A platform authenticator of Chromium's own, which answers without a person."""
    cdp = desk.page.context.new_cdp_session(desk.page)
    cdp.send("WebAuthn.enable", {"enableUI": False})
    options = {
        "protocol": "ctap2",
        "ctap2Version": "ctap2_1",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def challenges(desk: Desk) -> list[str]:
    """The requests for a challenge from now on, as they come."""
    asked: list[str] = []
    desk.page.on("request", lambda each: asked.append(each.url) if "challenge/retrieve" in each.url else None)
    return asked


def wait_until_offered(desk: Desk) -> None:
    """Until the page has asked for passkeys that a person may choose; waiting for a function takes eval, which its policy forbids."""
    deadline = time.monotonic() + 20
    while not desk.page.evaluate("window.passkeysOffered === true"):
        assert time.monotonic() < deadline, "expected the page to offer passkeys, found that it does not"
        desk.page.wait_for_timeout(20)


def choose(desk: Desk) -> None:
    """Choose the passkey in the list."""
    desk.page.evaluate("dispatchEvent(new Event('choosepasskey'))")


def test_a_passkey_is_chosen_in_chromium_itself(desk: Desk, person: Person) -> None:
    """No button is pressed: Chromium takes the request as one for its list, and its authenticator chooses the only one."""
    virtual_authenticator(desk)
    register(desk, person)
    desk.open("/login/lounge")
    assert person.username in desk.arrive("/lounge/")


def test_a_passkey_on_the_emulated_key_is_chosen(desk: Desk, rig: Rig, person: Person) -> None:
    """The server takes what the key answers to the challenge of the page."""
    key = rig.new_key("passkeys")
    key.ensure_pin()
    plug_in(desk, key)
    register(desk, person)
    desk.open("/login/lounge")
    wait_until_offered(desk)
    assert desk.page.locator(OFFERED).count() == 1
    assert desk.page.is_hidden("[data-alert]")
    choose(desk)
    assert person.username in desk.arrive("/lounge/")


def test_the_button_works_while_passkeys_are_offered(desk: Desk, rig: Rig, person: Person) -> None:
    """The offer ends for it, as a login has one challenge; when it comes to nothing they are offered again."""
    stranger = rig.new_key("stranger")
    plug_in(desk, stranger)
    desk.open("/login/lounge")
    wait_until_offered(desk)
    desk.page.click("text=Use a security key or passkey")
    assert "The key was not used" in desk.alert()
    wait_until_offered(desk)
    desk.page.fill("#username", person.username)
    desk.page.fill("#password", person.password)
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_selector("text=Use the key")


def test_a_passkey_that_the_server_does_not_know_is_refused_in_words(desk: Desk, person: Person) -> None:
    """It was removed in self-service, and is still on the device."""
    virtual_authenticator(desk)
    register(desk, person)
    desk.log_in("self-service", person)
    desk.page.click("summary:has-text('Remove')")
    desk.page.click("text=Remove “passkey”")
    desk.arrive("/self-service/?done=removed")
    desk.page.click("text=Log out")
    desk.arrive("/?done=logged_out")
    desk.open("/login/lounge")
    assert "Use a key that you have registered here" in desk.alert()
    desk.page.fill("#username", person.username)
    desk.page.fill("#password", person.password)
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_selector("text=Use the key")


def test_a_challenge_that_became_old_is_replaced(
    browser: Browser, settings: Settings, rig: Rig, person: Person
) -> None:
    """Whoever comes back to the page after a coffee finds passkeys that still work."""
    key = rig.new_key("a patient key")
    key.ensure_pin()
    with own_world(settings, fido_challenge_ttl=2) as world, new_desk(browser, world.server.origin) as desk:
        person = replace(person, username=world.person().name, password=PASSWORD)
        plug_in(desk, key)
        register(desk, person)
        asked = challenges(desk)
        desk.open("/login/lounge")
        deadline = time.monotonic() + 20
        while len(asked) < 3:
            assert time.monotonic() < deadline, "expected the page to ask for another challenge, found that it does not"
            desk.page.wait_for_timeout(20)
        wait_until_offered(desk)
        choose(desk)
        assert person.username in desk.arrive("/lounge/")


@pytest.mark.parametrize("application", ["ebanking", "classroom", "kiosk"])
def test_where_a_key_alone_is_not_enough_none_are_offered(desk: Desk, application: str) -> None:
    """And looking at the page begins nothing."""
    asked = challenges(desk)
    desk.open(f"/login/{application}")
    desk.page.wait_for_load_state("networkidle")
    assert desk.page.locator("[autocomplete=username]").count() == 1
    assert asked == []
    assert desk.page.context.cookies() == []


def test_looking_does_not_end_a_login_for_something_else(desk: Desk, person: Person) -> None:
    """A challenge would: there is one login in a browser."""
    desk.log_in("classroom", person)
    desk.arrive("/classroom/")
    asked = challenges(desk)
    desk.open("/login/lounge")
    desk.page.wait_for_load_state("networkidle")
    assert desk.page.locator(OFFERED).count() == 0
    assert asked == []
    desk.open("/classroom/")
    assert person.username in desk.arrive("/classroom/")
