"""PIN: first use, weak and wrong ones, lock and unlock, duress (OTQ1, Header flag bit 1; Administration; Duress)."""

import pytest

from authrig.errors import RigError
from authrig.ports.qr_token import QrToken
from authrig.ports.token_parts import CONSOLE, WIPES, Shown
from emulators.hwtoken.keys import Button
from hil_tests.qr_token.issuer import Issuer, title_of
from offline_qr import otq1

pytestmark = pytest.mark.hil("qr-token", caps=["camera", "power", "words", "pin"])

WRONG, OTHER, DURESS = "8264", "905173", "3186"
MOST_TRIES = 10


def _asks_for_pin(issuer: Issuer) -> Shown:
    """Switched on, with the question for its PIN on the screen."""
    issuer.back_to_idle()
    issuer.token.restart()
    shown = issuer.token.look()
    assert shown.state == "typing"
    return shown


def _asks_for_a_new_pin(issuer: Issuer) -> Shown:
    """As new: the PIN is forgotten, and the token asks for one."""
    issuer.back_to_idle()
    issuer.forget_pin()
    shown = issuer.token.look()
    assert shown.state == "typing"
    return shown


def _lock(issuer: Issuer) -> Shown:
    """Type wrong PINs until there are no tries left."""
    shown = _asks_for_pin(issuer)
    for _ in range(MOST_TRIES):
        if shown.state != "typing":
            break
        shown = issuer.token.type_digits(WRONG)
    return shown


@pytest.mark.clause("OTQ1 Administration, PIN unlock 0")
def test_the_first_pin_is_typed_twice(issuer: Issuer, token: QrToken) -> None:
    """A token without a PIN asks for one, then again, and works from then on."""
    asked = _asks_for_a_new_pin(issuer)
    repeated = token.type_digits(token.pin)
    assert repeated.state == "typing"
    assert title_of(repeated) != title_of(asked)
    assert token.type_digits(token.pin).state == "notice"
    assert token.press(Button.OK).state == "idle"


@pytest.mark.clause("OTQ1 Administration, PIN unlock 0")
def test_two_different_first_pins_are_refused(issuer: Issuer, token: QrToken) -> None:
    """It asks for a new one again."""
    asked = _asks_for_a_new_pin(issuer)
    token.type_digits(token.pin)
    again = token.type_digits(OTHER)
    assert (again.state, title_of(again)) == ("typing", title_of(asked))
    token.ensure_pin()


@pytest.mark.clause("OTQ1 Administration, PIN unlock 0")
@pytest.mark.parametrize("weak", ["1234", "9876", "0000", "1212", "1987", "2580"])
def test_a_weak_pin_is_refused(issuer: Issuer, token: QrToken, weak: str) -> None:
    """Runs, repetitions, years, and what thieves try first."""
    asked = _asks_for_a_new_pin(issuer)
    again = token.type_digits(weak)
    assert (again.state, title_of(again)) == ("typing", title_of(asked))
    token.ensure_pin()


@pytest.mark.clause("OTQ1 Header, flag bit 1")
def test_nothing_works_before_the_pin(issuer: Issuer, token: QrToken) -> None:
    """Switched on, it neither scans nor shows its menu."""
    _asks_for_pin(issuer)
    assert token.press(Button.OK, held=True).state == "typing"
    token.restart()
    assert token.look().state == "typing"


@pytest.mark.clause("OTQ1 Header, flag bit 1")
def test_a_wrong_pin_says_so(issuer: Issuer, token: QrToken) -> None:
    """And how many tries are left; the right one helps."""
    asked = _asks_for_pin(issuer)
    wrong = token.type_digits(WRONG)
    assert wrong.state == "typing"
    assert title_of(wrong) != title_of(asked)
    assert any(character.isdigit() for character in "".join(wrong.lines or ())[:60])
    assert token.type_digits(token.pin).state == "idle"


@pytest.mark.clause("OTQ1 Header, flag bit 1")
@pytest.mark.hil("qr-token", caps=["console"])
def test_the_right_pin_gives_all_tries_back(issuer: Issuer, token: QrToken) -> None:
    """One wrong PIN is counted; after the right one none is."""
    _asks_for_pin(issuer)
    token.type_digits(WRONG)
    assert token.counters()["pin_tries_spent"] == 1
    token.type_digits(token.pin)
    assert token.counters()["pin_tries_spent"] == 0


@pytest.mark.clause("OTQ1 Header, flag bit 1")
@pytest.mark.hil("qr-token", caps=["console"])
def test_switching_off_gives_no_try_back(issuer: Issuer, token: QrToken) -> None:
    """The count survives."""
    _asks_for_pin(issuer)
    token.type_digits(WRONG)
    token.restart()
    assert token.counters()["pin_tries_spent"] == 1
    token.ensure_pin()


@pytest.mark.clause("OTQ1 Header, flag bit 1")
@pytest.mark.hil("qr-token", caps=["console"])
def test_a_power_cut_during_the_check_gives_no_try_back(issuer: Issuer, token: QrToken) -> None:
    """The try is spent before the PIN is compared: a cut at the next write leaves it spent."""
    _asks_for_pin(issuer)
    token.type_digits(WRONG)
    try:
        token.set_fault(cut_power_at_write=1)
    except RigError as error:
        pytest.skip(f"its bench cannot cut the power at a write: {error}")
    token.type_digits(token.pin)  # the first write spends the try, the second would give all back
    assert token.counters()["pin_tries_spent"] == 2
    token.restart()
    token.ensure_pin()


@pytest.mark.clause("OTQ1 Header, flag bit 1")
def test_a_challenge_may_ask_for_the_pin(issuer: Issuer, token: QrToken) -> None:
    """After the review and before the code, although it was typed when the token was switched on."""
    challenge = issuer.payment(flags=otq1.Flags.PIN_REQUIRED)
    issuer.show(challenge)
    token.read_review()
    shown = token.press(Button.OK)
    assert (shown.state, shown.code) == ("typing", None)
    assert token.type_digits(token.pin).code == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 Header, flag bit 1")
def test_no_code_for_a_wrong_pin(issuer: Issuer, token: QrToken) -> None:
    """It asks again; the right one brings the code."""
    challenge = issuer.payment(flags=otq1.Flags.PIN_REQUIRED)
    issuer.show(challenge)
    token.read_review()
    token.press(Button.OK)
    shown = token.type_digits(WRONG)
    assert (shown.state, shown.code) == ("typing", None)
    assert token.type_digits(token.pin).code == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 Administration")
def test_the_pin_can_be_changed(issuer: Issuer, token: QrToken) -> None:
    """The old one, then the new one twice; from then on only the new one helps."""
    issuer.choose_from_menu("Change PIN")
    for digits in (token.pin, OTHER, OTHER):
        token.type_digits(digits)
    token.restart()
    assert token.type_digits(token.pin).state == "typing"
    assert token.type_digits(OTHER).state == "idle"
    issuer.choose_with_pin("Change PIN", OTHER)
    for digits in (OTHER, token.pin, token.pin):
        token.type_digits(digits)


@pytest.mark.clause("OTQ1 Duress")
def test_the_duress_pin_shows_another_code(issuer: Issuer, token: QrToken) -> None:
    """All looks as usual, and the code tells the server; with the right PIN it is the usual one again."""
    issuer.choose_from_menu("Duress PIN")
    for digits in (token.pin, DURESS, DURESS):
        token.type_digits(digits)
    challenge = issuer.payment()
    token.restart()
    assert token.type_digits(DURESS).state == "idle"
    assert issuer.answer(challenge) == otq1.compute_duress_code(challenge, issuer.keys)
    issuer.back_to_idle()
    assert issuer.answer(challenge) == issuer.expected(challenge)
    issuer.back_to_idle()
    issuer.forget_pin()  # and the duress PIN with it
    token.ensure_pin()


@pytest.mark.clause("OTQ1 Administration, PIN unlock 1")
@pytest.mark.hil_destructive
def test_wrong_pins_lock_it(issuer: Issuer, token: QrToken) -> None:
    """After the last try the right PIN does not help, neither at once nor after power comes back."""
    shown = _lock(issuer)
    locked = "off" if WIPES in token.capabilities() else "locked"
    assert shown.state == locked
    token.restart()
    assert token.look().state != "idle"
    if WIPES not in token.capabilities():
        assert token.look().state == "locked"
        _unlock(issuer)


def _unlock(issuer: Issuer) -> None:
    """As a help desk does, keeping the PIN."""
    issuer.obey(issuer.order(otq1.Command.PIN_UNLOCK, 1))
    issuer.back_to_idle()


@pytest.mark.clause("OTQ1 Administration, PIN unlock 1")
@pytest.mark.hil_destructive
def test_a_locked_token_answers_no_challenge(issuer: Issuer, token: QrToken) -> None:
    """Its camera is there for the unlock message alone."""
    if WIPES in token.capabilities():
        pytest.skip("wants a token that is locked by wrong PINs, not erased")
    _lock(issuer)
    shown = issuer.show(issuer.login())
    assert (shown.state, shown.code) == ("error", None)
    _unlock(issuer)


@pytest.mark.clause("OTQ1 Administration, PIN unlock 1")
@pytest.mark.hil_destructive
def test_an_unlocked_token_has_its_pin(issuer: Issuer, token: QrToken) -> None:
    """All tries are there again, and the code reports it to the server."""
    if WIPES in token.capabilities():
        pytest.skip("wants a token that is locked by wrong PINs, not erased")
    _lock(issuer)
    order = issuer.order(otq1.Command.PIN_UNLOCK, 1)
    assert issuer.obey(order) == otq1.compute_admin_code(order, issuer.keys)
    token.restart()
    if CONSOLE in token.capabilities():
        assert token.counters()["pin_tries_spent"] == 0
    assert token.type_digits(token.pin).state == "idle"


@pytest.mark.clause("OTQ1 Administration, PIN unlock 1")
@pytest.mark.hil_destructive
@pytest.mark.hil("qr-token", caps=["wipes", "activation"])
def test_the_last_wrong_pin_erases_it(issuer: Issuer, token: QrToken) -> None:
    """Where its model does so: what was sealed for it is not opened any more."""
    _lock(issuer)
    token.restart()
    shown = token.look()
    assert shown.state in {"typing", "idle"}
    issuer.back_to_idle()
    shown = issuer.show(issuer.login())
    assert (shown.state, shown.code) == ("error", None)
