"""Flow 1: password, then offline QR with the hardware token."""

from authrig.demo.steps import confirm, enter_password, one_digit_off, take_qr_code
from authrig.evidence.recorder import Recorder
from authrig.rig import Rig

APPLICATION = "ebanking"
SECOND_STEP = "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"


def play(rig: Rig, recorder: Recorder) -> None:
    """Log in with the token; attack with a mistyped code, and with a code that was used before."""
    alice = rig.enrol("alice")
    token = rig.give_qr_token(alice, "QT1-00000001")

    with rig.browser() as browser:
        enter_password(recorder, browser, APPLICATION, alice, SECOND_STEP)
        token.scan(take_qr_code(recorder, browser.retrieve_offline_qr_code()))
        review = token.read_review()
        if review is not None:
            asked = f"Service, E-Banking, User, {alice.username}, Place, 127.0.0.1"
            recorder.expect("the token shows what it is about to confirm", asked, ", ".join(review))
        code = confirm(recorder, token)
        mistyped = browser.check_otp(one_digit_off(code))
        recorder.expect("types the code with one digit off", "OTP_WRONG", mistyped.outcome, evil=True)
        recorder.expect("types the code that the token shows", "DONE", browser.check_otp(code).outcome)
        session = browser.session().attributes
        recorder.expect("the session belongs to", alice.username, str(session.get("username")))

    with rig.browser() as browser:
        enter_password(recorder, browser, APPLICATION, alice, SECOND_STEP)
        take_qr_code(recorder, browser.retrieve_offline_qr_code())
        again = browser.check_otp(code)
        recorder.expect("types the code of the last login again", "OTP_WRONG", again.outcome, evil=True)
