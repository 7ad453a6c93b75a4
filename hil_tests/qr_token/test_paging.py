"""Paging: nothing is confirmed that was not shown (OTQ1, Body)."""

import pytest

from authrig.ports.qr_token import CONFIRM, QrToken
from emulators.hwtoken.keys import Button
from hil_tests.qr_token.issuer import PAYMENT, Issuer
from offline_qr import otq1

pytestmark = pytest.mark.hil("qr-token", caps=["camera", "power", "words"])

LONG = (
    "Rechnung Nr 2026-0815 vom 3. Januar, Lieferung nach Chur, abzueglich zwei Prozent Skonto bei Zahlung in zehn Tagen"
)


@pytest.mark.clause("OTQ1 Body")
def test_the_code_comes_after_the_last_page(issuer: Issuer, token: QrToken) -> None:
    """While there is more to read OK turns the page, and no page has a code on it."""
    challenge = issuer.payment((*PAYMENT, otq1.Field(otq1.Tag.REFERENCE, LONG)))
    shown, pages = issuer.show(challenge), 1
    while shown.ok != CONFIRM:
        assert (shown.state, shown.code) == ("review", None)
        shown, pages = token.press(Button.OK), pages + 1
        assert pages < 40
    assert shown.code is None
    assert token.press(Button.OK).code == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 Body")
def test_the_longest_value_is_shown_whole(issuer: Issuer, token: QrToken) -> None:
    """120 bytes, each of them; a page may repeat the label, and mark that the text goes on."""
    value = (LONG * 2)[:120]
    issuer.show(issuer.payment((*PAYMENT[:1], otq1.Field(otq1.Tag.REFERENCE, value))))
    words = [line.strip("…. ") for line in token.read_review() or ()]
    shown = "".join(word for word in words if word != "Reference").replace(" ", "").replace(".", "")
    assert value.replace(" ", "").replace(".", "") in shown


@pytest.mark.clause("OTQ1 Header, flag bit 2")
def test_each_field_on_a_page_of_its_own(issuer: Issuer, token: QrToken) -> None:
    """Confirm each field: no page has two of them."""
    challenge = issuer.payment(flags=otq1.Flags.CONFIRM_EACH_FIELD)
    shown = issuer.show(challenge)
    labels = [field.display_label for field in PAYMENT]
    seen = []
    for _ in range(40):
        there = [label for label in labels if label in (shown.lines or ())]
        assert len(there) <= 1
        seen += there
        if shown.ok == CONFIRM:
            break
        shown = token.press(Button.OK)
    assert list(dict.fromkeys(seen)) == labels
    assert token.confirm() == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 Question and code")
def test_refusing_shows_no_code(issuer: Issuer, token: QrToken) -> None:
    """CANCEL on the first page ends it, and OK does not bring it back."""
    issuer.show(issuer.payment())
    shown = token.press(Button.CANCEL)
    assert (shown.state, shown.code) == ("refused", None)
    shown = token.press(Button.OK)
    assert (shown.state, shown.code) == ("idle", None)


@pytest.mark.clause("OTQ1 Question and code")
def test_what_was_refused_can_be_scanned_again(issuer: Issuer, token: QrToken) -> None:
    """A slip of the finger costs nothing."""
    challenge = issuer.payment()
    issuer.show(challenge)
    token.press(Button.CANCEL)
    assert issuer.answer(challenge) == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 Question and code")
def test_power_off_in_a_review_leaves_nothing(issuer: Issuer, token: QrToken) -> None:
    """What was under review is gone, and the code with it."""
    issuer.show(issuer.payment())
    assert issuer.back_to_idle().state == "idle"
    assert token.press(Button.OK).state == "scanning"
