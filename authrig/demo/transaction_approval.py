"""Flow 2: a payment is approved on the token."""

from authrig.demo.steps import confirm, take_qr_code
from authrig.evidence.recorder import Recorder
from authrig.ports.server import Bank
from authrig.rig import Person, Rig

FLOW = "payment"
MEANT = {
    "amount": "1250.00",
    "currency": "CHF",
    "account": "CH93 0076 2011 6238 5295 7",
    "beneficiary": "Müller & Söhne AG",
    "reference": "Rechnung 2026-0815",
}
SHOWN = {"amount": "CHF 1'250.00", "account": MEANT["account"], "beneficiary": MEANT["beneficiary"]}
CHANGED = {**MEANT, "amount": "9250.00"}


def play(rig: Rig, recorder: Recorder) -> None:
    """Approve a payment; then attack: the amount is changed on its way to the server."""
    bob = rig.enrol("bob")
    token = rig.give_qr_token(bob, "QT1-00000002")

    with rig.bank() as bank:
        _order(recorder, bank, bob, MEANT)
        token.scan(take_qr_code(recorder, bank.retrieve_offline_qr_code()))
        lines = token.read_review()
        review = " ".join(lines or ())
        # A camera on the display reads digits and no words.
        for what, text in SHOWN.items() if lines is not None else ():
            recorder.expect(f"the token shows the {what}", text, text if text in review else review)
        code = confirm(recorder, token)
        recorder.expect("types the code that the token shows", "DONE", bank.check_otp(code).outcome)

    # The thief orders 9'250.00 in Bob's name and lets Bob see, and approve, the 1'250.00 that he meant.
    with rig.bank() as changed, rig.bank() as shown_to_bob:
        _order(recorder, changed, bob, CHANGED)
        take_qr_code(recorder, changed.retrieve_offline_qr_code())
        _order(recorder, shown_to_bob, bob, MEANT)
        token.scan(take_qr_code(recorder, shown_to_bob.retrieve_offline_qr_code()))
        token.read_review()
        outcome = changed.check_otp(confirm(recorder, token)).outcome
        recorder.expect("the code for CHF 1'250.00 is given for CHF 9'250.00", "OTP_WRONG", outcome, evil=True)


def _order(recorder: Recorder, bank: Bank, person: Person, payment: dict[str, str]) -> None:
    """Tell the server who has to approve what."""
    recorder.expect("the bank begins an approval", "USERNAME_REQUIRED", bank.select(FLOW).outcome)
    recorder.expect(f"{person.username} has to approve", "PARAMETERS_REQUIRED", bank.identify(person.username).outcome)
    what = f"{payment['currency']} {payment['amount']} to {payment['beneficiary']}"
    recorder.expect(what, "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED", bank.parameters(payment).outcome)
