import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.fido_authenticator.profile import DEFAULT
from emulators.fido_authenticator.user import AutomaticUser, HandUser
from tests.vm.browsers.browser import wait_until
from tests.vm.browsers.chromium import Chromium, chromium
from tests.vm.browsers.keys import keep_touching, plugged_in, stop_touching
from tests.vm.browsers.scenarios import PIN, Scenarios, needs_minutes
from tests.vm.browsers.site import Site, site

pytestmark = needs_minutes
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "browser-with-a-key.md"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """One Chromium for all tests."""
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture(scope="module")
def chromium_site(browser: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for all tests."""
    with site(browser, tmp_path_factory.mktemp("server")) as the_site:
        yield the_site


@pytest.fixture
def person(chromium_site: Site, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Somebody new for each test; what was on the screen last is kept, however the test ends."""
    chromium_site.new_person()
    yield chromium_site
    chromium_site.screenshot(f"last-{request.node.name}")


class TestChromium(Scenarios):
    """In Debian's Chromium, on hidraw."""

    def test_a_wrong_key_is_named_and_the_right_one_tried_again(self, person: Site, browser: Chromium) -> None:
        """Chromium's dialog says so and waits; with the right key in the port, its button leads on."""
        with plugged_in(AutomaticUser()) as right, plugged_in(AutomaticUser()) as wrong:
            wrong.unplug()
            person.begin_registration("Right key")
            assert person.registered() == ["Right key"]
            right.unplug()
            wrong.plug_in()
            person.begin_key_login()
            browser.wait_for_dialog_button()
            person.screenshot("wrong-key")
            assert person.browser.texts("dl dd") == []
            wrong.unplug()
            right.plug_in()
            browser.display.press("Return")
            assert person.logged_in() == (person.username, "password, security key")

    def test_a_key_that_is_pulled_out_while_it_blinks_is_asked_for_again(self, person: Site, browser: Chromium) -> None:
        """The page goes on waiting; with the key back in the port the login goes on, by the dialog's button if it has one."""
        user = HandUser()
        with plugged_in(user) as key:
            keep_touching(user)
            person.begin_registration("Loose key")
            assert person.registered() == ["Loose key"]
            stop_touching(user)
            person.begin_key_login()
            wait_until(lambda: user.pending)
            key.unplug()
            wait_until(lambda: user.pending is None)
            assert person.browser.texts("dl dd") == []
            key.plug_in()
            keep_touching(user)
            wait_until(lambda: person.browser.texts("dl dd") or browser.dialog_button_stays())
            person.screenshot("pulled-out")
            if browser.dialog_button_stays():
                browser.display.press("Return")
            assert person.logged_in() == (person.username, "password, security key")

    def test_chromium_sets_a_pin_up_on_a_new_key(self, person: Site, browser: Chromium) -> None:
        """A passkey is wanted, so the key must have a PIN: typed twice into Chromium's dialog, and asked for from then on."""
        with plugged_in(AutomaticUser(), DEFAULT):
            person.begin_registration("Brand-new key")
            browser.wait_for_dialog_button()
            person.screenshot("pin-set-up")
            browser.display.type_twice(PIN)
            assert person.registered() == ["Brand-new key"]
            person.begin_usernameless_login()
            person.type_pin(PIN)
            assert person.logged_in() == (person.username, "security key")


def test_the_page_about_browsers_tells_the_truth() -> None:
    """Its example runs a Chromium without a window, and prints what the page says."""
    page = PAGE.read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, timeout=1100, check=False)
    assert done.returncode == 0, done.stderr
    key, proven = done.stdout.splitlines()
    assert re.fullmatch(r"key: /dev/hidraw\d+", key)
    assert f"`{proven}`" in page
