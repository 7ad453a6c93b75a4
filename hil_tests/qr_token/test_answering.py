"""Codes: a login and a payment are answered with the code of exactly what was shown (OTQ1, Question and code)."""

import pytest

from authrig.ports.qr_token import QrToken
from emulators.hwtoken.keys import Button
from hil_tests.qr_token.issuer import PAYMENT, Issuer
from offline_qr import otq1

pytestmark = pytest.mark.hil("qr-token", caps=["camera", "power"])


@pytest.mark.clause("OTQ1 Question and code")
def test_login(issuer: Issuer) -> None:
    """The code is that of the login."""
    challenge = issuer.login()
    assert issuer.answer(challenge) == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 Question and code")
def test_transaction(issuer: Issuer) -> None:
    """The code is that of the payment."""
    challenge = issuer.payment()
    assert issuer.answer(challenge) == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 Question and code")
def test_one_amount_more_is_another_code(issuer: Issuer) -> None:
    """Two payments that differ in one field only have two codes, each the right one."""
    more = (otq1.Field(otq1.Tag.AMOUNT, "CHF 9'250.00"), *PAYMENT[1:])
    first, second = issuer.payment(), issuer.payment(more)
    codes = [issuer.answer(first), issuer.answer(second)]
    assert codes == [issuer.expected(first), issuer.expected(second)]
    assert len(set(codes)) == 2


@pytest.mark.clause("OTQ1 Question and code")
def test_the_same_qr_code_gives_the_same_code(issuer: Issuer) -> None:
    """A user who scans again after a time-out gets the code once more."""
    challenge = issuer.login()
    assert issuer.answer(challenge) == issuer.answer(challenge) == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 Suites")
@pytest.mark.hil("qr-token", caps=["words"])
def test_six_digits(issuer: Issuer) -> None:
    """Suite 2 has six."""
    challenge = issuer.login(suite=2)
    code = issuer.answer(challenge)
    assert code == issuer.expected(challenge)
    assert len(code) == 6


@pytest.mark.clause("OTQ1 Suites")
def test_sha512(issuer: Issuer) -> None:
    """Suite 6."""
    challenge = issuer.payment(suite=6)
    assert issuer.answer(challenge) == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 Suites")
def test_counter_moves_on(issuer: Issuer) -> None:
    """Under suite 3 each code takes the next counter, also for one QR code that is scanned twice."""
    challenge = issuer.login(suite=3)
    codes = [issuer.answer(challenge), issuer.answer(challenge)]
    candidates = [issuer.expected(challenge, counter=counter) for counter in range(1000)]
    first = candidates.index(codes[0])
    assert candidates.index(codes[1]) == first + 1


@pytest.mark.clause("OTQ1 Suites")
@pytest.mark.hil("qr-token", caps=["clock"])
def test_minute(issuer: Issuer) -> None:
    """Under suite 5 the minute goes in; a server tries two on either side."""
    challenge = issuer.login(suite=5)
    code = issuer.answer(challenge)
    now = issuer.now() // 60
    assert code in [issuer.expected(challenge, time_step=step) for step in range(now - 2, now + 3)]


@pytest.mark.clause("OTQ1 Suites")
@pytest.mark.hil("qr-token", caps=["words", "pin"])
@pytest.mark.parametrize("pin", ["8264", "905173"])
def test_pin_in_the_code(issuer: Issuer, token: QrToken, pin: str) -> None:
    """Under suite 4 the token takes any PIN and lets the server judge it."""
    challenge = issuer.login(suite=4)
    issuer.show(challenge)
    token.read_review()
    assert token.press(Button.OK).state == "typing"
    token.type_digits(pin)
    assert token.read_code() == issuer.expected(challenge, pin=pin)


@pytest.mark.clause("OTQ1 Question and code")
@pytest.mark.hil("qr-token", caps=["words"])
def test_the_code_stands_in_groups_of_four(issuer: Issuer, token: QrToken) -> None:
    """As it is read aloud."""
    code = issuer.answer(issuer.login())
    assert f"{code[:4]} {code[4:]}" in (token.look().lines or ())


@pytest.mark.clause("OTQ1 Body")
@pytest.mark.hil("qr-token", caps=["words"])
def test_a_review_shows_the_fields_as_sent(issuer: Issuer, token: QrToken) -> None:
    """Labels and values, in their order, umlauts as they are, and nothing else."""
    issuer.show(issuer.payment())
    words = "".join(token.read_review() or ()).replace(" ", "")
    assert words == "".join(field.display_label + field.value for field in PAYMENT).replace(" ", "")


@pytest.mark.clause("OTQ1 Body")
@pytest.mark.hil("qr-token", caps=["words"])
def test_a_login_without_fields_says_so(issuer: Issuer, token: QrToken) -> None:
    """Zero fields are allowed for a login: there is a review all the same, and then the code."""
    challenge = issuer.login(())
    assert issuer.show(challenge).state == "review"
    assert token.read_review()
    assert token.confirm() == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 Body")
@pytest.mark.hil("qr-token", caps=["words"])
def test_a_label_of_the_fields_own(issuer: Issuer, token: QrToken) -> None:
    """Tag 0 brings its label along, and may stand twice."""
    own = (otq1.Field(0, "Basel", "Branch"), otq1.Field(0, "12", "Counter"))
    challenge = issuer.login(own)
    issuer.show(challenge)
    words = " ".join(token.read_review() or ())
    assert [word in words for word in ("Branch", "Basel", "Counter", "12")] == [True] * 4
    assert token.confirm() == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 Declining")
@pytest.mark.hil("qr-token", caps=["words"])
def test_a_decline_code_reports_fraud(issuer: Issuer, token: QrToken) -> None:
    """Holding CANCEL on a review shows the decline code, which is not the code."""
    challenge = issuer.payment()
    issuer.show(challenge)
    shown = token.press(Button.CANCEL, held=True)
    assert shown.state == "declined"
    assert shown.code == otq1.compute_decline_code(challenge, issuer.keys)
    assert shown.code != issuer.expected(challenge)
