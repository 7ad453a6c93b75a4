"""Steps that several flows share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authrig.evidence.recorder import Picture, Recorder
from authrig.pictures import picture_from_png, png_from_data_uri
from authrig.ports.qr_token import QrToken
from authrig.ports.server import Answer, Browser
from authrig.rig import Person

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image


def enter_password(recorder: Recorder, browser: Browser, application: str, person: Person, next_step: str) -> None:
    """Ask for ``application`` and type the right password; the server then asks for ``next_step``."""
    recorder.expect(
        f"{person.username} asks for {application}", "PASSWORD_REQUIRED", str(browser.access(application).next_step)
    )
    answer = browser.check_password(person.username, person.password)
    recorder.expect("types the password", next_step, answer.outcome)


def take_qr_code(recorder: Recorder, answer: Answer) -> Image:
    """The QR code in ``answer``, as the picture that a page would show; the server then waits for the digits."""
    png = png_from_data_uri(str(answer.attribute("image")))
    recorder.exhibit(Picture("the QR code that the server made", png))
    recorder.expect("the server shows a challenge", "AIRLOCK_2FA_OTP_REQUIRED", answer.outcome)
    return picture_from_png(png)


def one_digit_off(code: str) -> str:
    """``code`` with its last digit mistyped."""
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def confirm(recorder: Recorder, token: QrToken) -> str:
    """Press OK on the last page of a review; returns the code that the token then shows."""
    code = token.confirm()
    recorder.expect("presses OK on the last page, and the token shows", "8 digits", f"{len(code)} digits")
    return code
