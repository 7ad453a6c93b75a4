"""What must go the same way in every browser."""

import pytest

from emulators.fido_authenticator.user import AutomaticUser, HandUser
from tests.vm.browsers.browser import wait_until
from tests.vm.browsers.keys import WITHOUT_PIN, keep_touching, plugged_in
from tests.vm.browsers.site import Site
from tests.vm.conftest import plugging, set_pin

PIN, WRONG_PIN = "4711", "9999"


class Scenarios:
    """Tests of the fixture ``person``, somebody who has just sat down at a browser."""

    profile_of_two = WITHOUT_PIN
    """Of keys that are plugged in side by side."""

    def test_a_key_without_pin_registers_and_logs_in(self, person: Site) -> None:
        """A touch for each; then the VPN knows who it is, and by what."""
        with plugged_in(AutomaticUser()):
            person.begin_registration("Blue key")
            assert person.registered() == ["Blue key"]
            person.screenshot("registered")
            person.begin_key_login()
            assert person.logged_in() == (person.username, "password, security key")
            person.screenshot("logged-in")

    def test_a_pin_is_typed_and_a_login_needs_no_name(self, person: Site) -> None:
        """On USB/IP. The wrong PIN is complained about, the right one registers; then PIN and key alone say who it is."""
        with plugging("usbip") as plug:
            set_pin(plug().path, PIN)
            person.begin_registration("Passkey")
            person.type_pin(WRONG_PIN)
            person.browser.wait_for_pin_complaint()
            person.screenshot("pin-wrong")
            person.browser.display.type_line(PIN)
            assert person.registered() == ["Passkey"]
            person.begin_usernameless_login()
            person.type_pin(PIN)
            assert person.logged_in() == (person.username, "security key")
            person.screenshot("logged-in-without-a-name")

    def test_of_two_keys_the_touched_one_counts(self, person: Site) -> None:
        """Both blink; touching one lets the other stop. It is the touched one that logs in afterwards, alone."""
        ignored, touched = HandUser(), HandUser()
        with plugged_in(ignored, self.profile_of_two) as other, plugged_in(touched, self.profile_of_two):
            person.begin_registration("Touched key")
            wait_until(lambda: ignored.pending and touched.pending)
            person.screenshot("two-keys")
            keep_touching(touched)
            wait_until(lambda: ignored.pending is None)
            assert person.registered() == ["Touched key"]
            other.unplug()
            person.begin_key_login()
            assert person.logged_in() == (person.username, "password, security key")

    def test_a_key_is_registered_once(self, person: Site) -> None:
        """The second time the browser finds it in the list of known ones."""
        with plugged_in(AutomaticUser()):
            person.begin_registration("Blue key")
            assert person.registered() == ["Blue key"]
            person.begin_registration("The same again")
            person.browser.close_complaint()
            assert "registered already" in person.refused()
            assert person.browser.texts("[data-keys] h3") == ["Blue key"]

    def test_who_cancels_can_begin_again(self, person: Site) -> None:
        """The key stops blinking, the page says why nothing happened, and its button works again."""
        user = HandUser()
        with plugged_in(user):
            person.begin_registration("Second thoughts")
            wait_until(lambda: user.pending)
            person.browser.cancel()
            assert "cancelled" in person.refused()
            wait_until(lambda: user.pending is None)
            person.press_key_button()
            keep_touching(user)
            assert person.registered() == ["Second thoughts"]


needs_minutes = pytest.mark.timeout(1200)
"""Starting a browser counts to the first test, and takes long on a processor that is a program."""
