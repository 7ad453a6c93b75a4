from collections.abc import Iterator

import pytest

from emulators.fido_authenticator.profile import DEFAULT
from emulators.fido_authenticator.user import AutomaticUser, HandUser
from tests.vm.browsers.browser import wait_until
from tests.vm.browsers.firefox import Firefox, firefox
from tests.vm.browsers.keys import keep_touching, plugged_in, stop_touching
from tests.vm.browsers.scenarios import Scenarios, needs_minutes
from tests.vm.browsers.site import Site, site

pytestmark = needs_minutes


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """One Firefox for all tests."""
    with firefox(tmp_path_factory.mktemp("firefox") / "profile") as browser:
        yield browser


@pytest.fixture(scope="module")
def firefox_site(browser: Firefox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for all tests."""
    with site(browser, tmp_path_factory.mktemp("server")) as the_site:
        yield the_site


@pytest.fixture
def person(firefox_site: Site, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Somebody new for each test; what was on the screen last is kept, however the test ends."""
    firefox_site.new_person()
    yield firefox_site
    firefox_site.screenshot(f"last-{request.node.name}")


class TestFirefox(Scenarios):
    """In Firefox ESR, on hidraw."""

    profile_of_two = DEFAULT
    """Firefox has two keys blink by a command that a CTAP 2.0 key without PIN refuses, and then waits for ever."""

    def test_a_wrong_key_is_refused_and_the_right_one_tried_again(self, person: Site) -> None:
        """The page says that no key here fits; with the right one in the port, its button leads on."""
        with plugged_in(AutomaticUser()) as right, plugged_in(AutomaticUser()) as wrong:
            wrong.unplug()
            person.begin_registration("Right key")
            assert person.registered() == ["Right key"]
            right.unplug()
            wrong.plug_in()
            person.begin_key_login()
            assert "no key here fits" in person.refused()
            person.screenshot("wrong-key")
            wrong.unplug()
            right.plug_in()
            person.press_key_button()
            assert person.logged_in() == (person.username, "password, security key")

    def test_a_key_that_is_pulled_out_while_it_blinks_ends_the_ceremony(self, person: Site) -> None:
        """The page says so; plugged in again, the key logs in."""
        user = HandUser()
        with plugged_in(user) as key:
            keep_touching(user)
            person.begin_registration("Loose key")
            assert person.registered() == ["Loose key"]
            stop_touching(user)
            person.begin_key_login()
            wait_until(lambda: user.pending)
            key.unplug()
            assert "The key was not used" in person.refused()
            person.screenshot("pulled-out")
            key.plug_in()
            keep_touching(user)
            person.press_key_button()
            assert person.logged_in() == (person.username, "password, security key")
