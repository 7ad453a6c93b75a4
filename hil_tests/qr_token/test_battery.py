"""Battery: a warning in time, no half-written memory, and nothing lost in the dark (OTQ1, Suites and Administration)."""

import pytest

from authrig.errors import RigError
from authrig.ports.qr_token import QrToken
from authrig.ports.token_parts import CLOCK
from hil_tests.qr_token.issuer import Issuer
from offline_qr import otq1

pytestmark = pytest.mark.hil("qr-token", caps=["camera", "power", "words", "console"])

FULL, LOW, BROWN_OUT, EMPTY = 1.0, 0.12, 0.06, 0.0


def _charge(token: QrToken, charge: float) -> None:
    try:
        token.set_fault(battery=charge)
    except RigError as error:
        pytest.skip(f"its bench cannot set the battery: {error}")


@pytest.mark.clause("OTQ1 Question and code")
def test_a_low_battery_is_told_and_works(issuer: Issuer, token: QrToken) -> None:
    """The idle screen says it; codes are right."""
    before = issuer.back_to_idle().lines
    _charge(token, LOW)
    assert issuer.back_to_idle().lines != before
    challenge = issuer.login()
    assert issuer.answer(challenge) == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 Suites")
def test_a_counter_is_kept_before_its_code_is_shown(issuer: Issuer, token: QrToken) -> None:
    """With a battery too weak to write, there is no code under suite 3; with a new one, no counter comes twice."""
    challenge = issuer.login(suite=3)
    first = issuer.answer(challenge)
    issuer.show(challenge)
    token.read_review()
    _charge(token, BROWN_OUT)
    with pytest.raises(Exception, match="expected a code"):
        token.confirm()
    _charge(token, FULL)
    issuer.back_to_idle()
    candidates = [issuer.expected(challenge, counter=counter) for counter in range(1000)]
    assert candidates.index(issuer.answer(challenge)) > candidates.index(first)


@pytest.mark.clause("OTQ1 Suites")
def test_a_power_cut_at_the_write_serves_no_counter_twice(issuer: Issuer, token: QrToken) -> None:
    """The power goes in the write that moves the counter on: the token is dark, and shows no code."""
    challenge = issuer.login(suite=3)
    issuer.show(challenge)
    token.read_review()
    before = int(token.counters()["counter"])
    try:
        token.set_fault(cut_power_at_write=0)
    except RigError as error:
        pytest.skip(f"its bench cannot cut the power at a write: {error}")
    with pytest.raises(Exception, match="expected a code"):
        token.confirm()
    issuer.back_to_idle()
    code = issuer.answer(challenge)
    assert code in [issuer.expected(challenge, counter=counter) for counter in (before, before + 1)]


@pytest.mark.clause("OTQ1 Keys")
def test_an_empty_battery_takes_the_screen_not_the_seed(issuer: Issuer, token: QrToken) -> None:
    """Dark, and nothing helps; with a new battery the same codes as before."""
    issuer.answer(issuer.login())
    _charge(token, EMPTY)
    assert token.look().state == "off"
    token.restart()
    assert token.look().state == "off"
    _charge(token, FULL)
    issuer.back_to_idle()
    challenge = issuer.login()
    assert issuer.answer(challenge) == issuer.expected(challenge)
    if CLOCK in token.capabilities():  # it stood still in the dark
        issuer.obey(issuer.order(otq1.Command.CLOCK_SYNC))


@pytest.mark.clause("OTQ1 Keys")
def test_self_test_names_each_part(token: QrToken) -> None:
    """Memory, clock and randomness are said to work."""
    parts = token.self_test()
    assert parts
    assert not [part for part in parts if "FAIL" in part.upper()]
