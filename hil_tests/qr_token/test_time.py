"""Time-outs and clocks: nothing stays on the screen, nothing old is answered (OTQ1, What a token checks, step 16)."""

import pytest

from authrig.errors import RigError
from authrig.ports.qr_token import QrToken
from emulators.hwtoken.keys import Button
from hil_tests.qr_token.issuer import Issuer, title_of
from offline_qr import otq1

pytestmark = pytest.mark.hil("qr-token", caps=["camera", "power", "words"])

LONG_ENOUGH = 600
"""Seconds after which every screen of every model is gone."""


def _break(token: QrToken, **fault: object) -> None:
    try:
        token.set_fault(**fault)
    except RigError as error:
        pytest.skip(f"its bench cannot do that: {error}")


@pytest.mark.clause("OTQ1 Question and code")
@pytest.mark.hil("qr-token", caps=["time"])
def test_a_scan_times_out(issuer: Issuer, token: QrToken) -> None:
    """A camera that sees nothing does not stay on, and no code appears by itself."""
    issuer.back_to_idle()
    assert token.press(Button.OK).state == "scanning"
    shown = token.wait(LONG_ENOUGH)
    assert shown.state in {"error", "off"}
    assert shown.code is None


@pytest.mark.clause("OTQ1 Question and code")
@pytest.mark.hil("qr-token", caps=["time"])
def test_a_code_does_not_stay_on_the_screen(issuer: Issuer, token: QrToken) -> None:
    """It goes dark by itself, and power brings no code back."""
    issuer.answer(issuer.login())
    assert token.wait(LONG_ENOUGH).state == "off"
    token.restart()
    assert token.look().code is None


@pytest.mark.clause("OTQ1 Question and code")
@pytest.mark.hil("qr-token", caps=["time"])
def test_a_review_that_was_left_lying_is_gone(issuer: Issuer, token: QrToken) -> None:
    """Whoever finds the token cannot confirm what its owner scanned."""
    issuer.show(issuer.payment())
    assert token.wait(LONG_ENOUGH).state == "off"
    assert token.press(Button.OK).code is None


@pytest.mark.clause("OTQ1 What a token checks, step 16")
@pytest.mark.hil("qr-token", caps=["time", "clock"])
def test_a_challenge_that_ends_while_it_is_read(issuer: Issuer, token: QrToken) -> None:
    """Time is looked at again before the code is shown."""
    issuer.show(issuer.login(issued=-140, ttl=30))
    token.read_review()
    token.wait(20)
    shown = token.press(Button.OK)
    assert (shown.state, shown.code) == ("error", None)


@pytest.mark.clause("OTQ1 What a token checks, step 16")
@pytest.mark.hil("qr-token", caps=["console", "clock"])
@pytest.mark.parametrize("jump", [4000, -4000])
def test_a_clock_that_jumped(issuer: Issuer, token: QrToken, jump: int) -> None:
    """A token whose clock is an hour wrong refuses what is fresh; a clock sync mends that."""
    _break(token, clock_jump=jump)
    shown = issuer.show(issuer.login())
    assert (shown.state, shown.code) == ("error", None)
    issuer.obey(issuer.order(otq1.Command.CLOCK_SYNC))
    challenge = issuer.login()
    assert issuer.answer(challenge) == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 Administration, clock sync")
@pytest.mark.hil("qr-token", caps=["console", "clock"])
def test_clock_sync_names_the_time_and_reports(issuer: Issuer, token: QrToken) -> None:
    """The user sees which time will be set; the code says that it was."""
    _break(token, clock_jump=-100_000)
    order = issuer.order(otq1.Command.CLOCK_SYNC)
    assert issuer.show(order).state == "review"
    assert any(character.isdigit() for character in "".join(token.read_review() or ()))
    assert token.confirm() == otq1.compute_admin_code(order, issuer.keys)
    assert abs((token.time() or 0) - issuer.now()) < 60


@pytest.mark.clause("OTQ1 What a token checks")
@pytest.mark.hil("qr-token", caps=["console", "clock"])
def test_a_token_that_lost_its_clock(issuer: Issuer, token: QrToken) -> None:
    """It shows when the challenge was issued, and leaves the rest to the server; suite 5 it cannot do."""
    _break(token, clock_lost=True)
    challenge = issuer.login()
    issuer.show(challenge)
    words = "".join(token.read_review() or ())
    assert any(character.isdigit() for character in words)
    assert token.confirm() == issuer.expected(challenge)
    shown = issuer.show(issuer.login(suite=5))
    assert (shown.state, shown.code) == ("error", None)
    issuer.obey(issuer.order(otq1.Command.CLOCK_SYNC))
    assert token.time() is not None


@pytest.mark.clause("OTQ1 What a token checks, step 16")
@pytest.mark.hil("qr-token", caps=["console", "clock", "time"])
def test_a_clock_that_drifts(issuer: Issuer, token: QrToken) -> None:
    """With 50 ppm a week is half a minute, which is allowed for; after half a year it is not."""
    _break(token, clock_drift_ppm=50)
    token.wait(7 * 86400)
    challenge = issuer.login()
    assert issuer.answer(challenge) == issuer.expected(challenge)
    token.wait(180 * 86400)
    shown = issuer.show(issuer.login(ttl=30))
    assert (shown.state, shown.code) == ("error", None)
    _break(token, clock_drift_ppm=0)
    issuer.obey(issuer.order(otq1.Command.CLOCK_SYNC))


@pytest.mark.clause("OTQ1 Administration")
@pytest.mark.hil("qr-token", caps=["console"])
def test_an_order_is_obeyed_once(issuer: Issuer, token: QrToken) -> None:
    """Its sequence number stops replays, and says that it was done before."""
    order = issuer.order(otq1.Command.COUNTER_SYNC, int(token.counters()["counter"]) + 10)
    assert issuer.obey(order) == otq1.compute_admin_code(order, issuer.keys)
    assert token.counters()["counter"] == order.argument
    again = issuer.show(order)
    assert (again.state, again.code) == ("error", None)
    back = issuer.show(issuer.order(otq1.Command.COUNTER_SYNC, (order.argument or 0) - 1))
    assert (back.state, title_of(back)) == ("error", title_of(again))
