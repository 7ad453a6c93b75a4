"""Flow 4: QR badges."""

from authrig.evidence.recorder import Picture, Recorder
from authrig.pictures import picture_from_png, print_code
from authrig.ports.scanner import Scanner
from authrig.rig import Rig

LENIENT, STRICT = "classroom", "office"


def play(rig: Rig, recorder: Recorder) -> None:
    """Log in with both kinds of badge; attack with a badge whose password has changed, and where policy forbids."""
    dora, scanner = rig.enrol("dora"), rig.scanner
    insecure = print_code(rig.administrator.make_badge(dora.username, "insecure"))
    secure = print_code(rig.administrator.make_badge(dora.username, "secure"))

    with rig.browser() as browser:
        browser.access(LENIENT)
        outcome = browser.check_badge(_scan(recorder, scanner, insecure)).outcome
        recorder.expect("the insecure badge says who it is", "PASSWORD_REQUIRED", outcome)
        recorder.expect("types the password", "DONE", browser.check_password(None, dora.password).outcome)
        recorder.expect("the session belongs to", dora.username, str(browser.session().attributes.get("username")))

    with rig.browser() as browser:
        browser.access(STRICT)
        outcome = browser.check_badge(_scan(recorder, scanner, secure)).outcome
        recorder.expect("the secure badge replaces username and password", "DONE", outcome)
        recorder.expect("the session belongs to", dora.username, str(browser.session().attributes.get("username")))

    with rig.browser() as browser:
        browser.access(STRICT)
        outcome = browser.check_badge(_scan(recorder, scanner, insecure)).outcome
        recorder.expect("an insecure badge where policy forbids it", "BADGE_NOT_ALLOWED", outcome, evil=True)

    rig.administrator.set_password(dora.username, "a new password for dora")
    with rig.browser() as browser:
        browser.access(STRICT)
        outcome = browser.check_badge(_scan(recorder, scanner, secure)).outcome
        recorder.expect("a secure badge after the password changed", "BADGE_WRONG", outcome, evil=True)


def _scan(recorder: Recorder, scanner: Scanner, badge: bytes) -> bytes:
    """Hold ``badge`` before the scanner."""
    recorder.exhibit(Picture("the badge", badge))
    return scanner.scan(picture_from_png(badge))
