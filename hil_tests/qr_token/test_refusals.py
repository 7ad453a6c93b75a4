"""Refusals: each message that must not be answered, and the screen that says why (OTQ1, What a token checks)."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from authrig.pictures import picture_from_png, print_code
from authrig.ports.qr_token import QrToken
from emulators.hwtoken.keys import Button
from hil_tests.qr_token.issuer import LOGIN, Issuer, title_of
from offline_qr import base45_strict, otq1

pytestmark = pytest.mark.hil("qr-token", caps=["camera", "power", "words"])

OTHER = "QT9-99999999"
KEY = bytes(range(32))
Message = Callable[[Issuer], str]


def _login(issuer: Issuer, **header: object) -> str:
    return otq1.encode(issuer.login(**header), issuer.keys)  # type: ignore[arg-type]  # passed on


def _with(issuer: Issuer, change: Callable[[bytearray], None], **header: object) -> str:
    """A login whose bytes somebody has changed."""
    message = bytearray(base45_strict.decode(_login(issuer, **header).removeprefix("OTQ1:").encode()))
    change(message)
    return "OTQ1:" + base45_strict.encode(bytes(message))


def _set(offset: int, value: int) -> Callable[[bytearray], None]:
    def change(message: bytearray) -> None:
        message[offset] = value

    return change


def _flip(offset: int) -> Callable[[bytearray], None]:
    def change(message: bytearray) -> None:
        message[offset] ^= 1

    return change


def _cut(message: bytearray) -> None:
    del message[-1]


def _append(message: bytearray) -> None:
    message.append(0)


def _foreign(issuer: Issuer) -> str:
    challenge = issuer.login(serial=OTHER)
    return otq1.encode(challenge, otq1.derive_keys(OTHER, bytes(32)))


def _other_seed(issuer: Issuer) -> str:
    return otq1.encode(issuer.login(), otq1.derive_keys(issuer.serial, bytes(32)))


def _signed(issuer: Issuer) -> str:
    return otq1.encode(issuer.login(flags=otq1.Flags.SIGNED), issuer.keys, KEY)


USUAL: dict[str, Message] = {
    "not ours": lambda _: "https://example.ch/",
    "damaged": lambda issuer: _with(issuer, _flip(-1)),
    "unsupported": lambda issuer: _with(issuer, _set(0, 2)),
    "not for this token": _foreign,
    "expired": lambda issuer: _login(issuer, issued=-4000, ttl=30),
}
"""One message of each kind: what a token says to it, it has to say to the others of that kind."""

CASES: list[tuple[str, str, int, Message]] = [
    ("a one-time password's secret", "not ours", 1, lambda _: "otpauth://totp/a?secret=JBSWY3DPEHPK3PXP"),
    ("a Wi-Fi network", "not ours", 1, lambda _: "WIFI:T:WPA;S=guest;P=secret;;"),
    ("another spelling", "not ours", 1, lambda issuer: _login(issuer).replace("OTQ1:", "otq1:", 1)),
    ("no base45", "damaged", 2, lambda _: "OTQ1:::::::"),
    ("an empty message", "damaged", 2, lambda _: "OTQ1:"),
    ("a header cut short", "damaged", 4, lambda issuer: "OTQ1:" + base45_strict.encode(_bytes(issuer)[:20])),
    ("an unknown type", "unsupported", 5, lambda issuer: _with(issuer, _set(1, 9))),
    ("an unknown suite", "unsupported", 5, lambda issuer: _with(issuer, _set(2, 7))),
    ("an unknown flag", "unsupported", 5, lambda issuer: _with(issuer, _set(3, 0x80))),
    ("no time to live", "damaged", 6, lambda issuer: _with(issuer, _set(25, 0))),
    ("a body cut short", "damaged", 13, lambda issuer: _with(issuer, _cut)),
    ("a byte too many", "damaged", 13, lambda issuer: _with(issuer, _append)),
    ("another challenge id", "damaged", 13, lambda issuer: _with(issuer, _flip(8))),
    ("a later time of issue", "damaged", 13, lambda issuer: _with(issuer, _flip(23))),
    ("sealed under another seed", "damaged", 13, _other_seed),
    ("signed, where no key is held", "unsupported", 10, _signed),
    ("a numeric display", "unsupported", 12, lambda issuer: _login(issuer, flags=otq1.Flags.NUMERIC_DISPLAY)),
]


def _bytes(issuer: Issuer) -> bytes:
    return base45_strict.decode(_login(issuer).removeprefix("OTQ1:").encode())


@pytest.mark.clause("OTQ1 What a token checks")
@pytest.mark.hil("qr-token", caps=["clock"])
def test_each_kind_has_a_screen_of_its_own(issuer: Issuer) -> None:
    """A user, and a help desk, can tell them apart; none has a code."""
    screens = [issuer.show(message(issuer)) for message in USUAL.values()]
    assert [(shown.state, shown.code) for shown in screens] == [("error", None)] * len(USUAL)
    assert len({title_of(shown) for shown in screens}) == len(USUAL)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        pytest.param(kind, message, id=name, marks=pytest.mark.clause(f"OTQ1 What a token checks, step {step}"))
        for name, kind, step, message in CASES
    ],
)
def test_refused(issuer: Issuer, kind: str, message: Message) -> None:
    """It is refused, without a code, and with what the token says to others of its kind."""
    shown = issuer.show(message(issuer))
    assert (shown.state, shown.code) == ("error", None)
    assert title_of(shown) == title_of(issuer.show(USUAL[kind](issuer)))


@pytest.mark.clause("OTQ1 What a token checks, step 16")
@pytest.mark.hil("qr-token", caps=["clock"])
def test_from_the_future(issuer: Issuer) -> None:
    """Issued in ten minutes: refused, and not as expired."""
    shown = issuer.show(_login(issuer, issued=600))
    assert (shown.state, shown.code) == ("error", None)
    assert title_of(shown) != title_of(issuer.show(USUAL["expired"](issuer)))


@pytest.mark.clause("OTQ1 What a token checks, step 16")
@pytest.mark.hil("qr-token", caps=["clock"])
@pytest.mark.parametrize("issued", [-140, 110])
def test_drift_is_allowed_for(issuer: Issuer, issued: int) -> None:
    """Up to 120 seconds on either side a challenge is answered."""
    challenge = issuer.login(issued=issued, ttl=30)
    assert issuer.answer(challenge) == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 Body")
def test_a_payment_without_fields_is_not_signed_blindly(issuer: Issuer) -> None:
    """There is nothing to read, so there is nothing to confirm."""
    shown = issuer.show(issuer.payment(()))
    assert (shown.state, shown.code) == ("error", None)


@pytest.mark.clause("OTQ1 Body")
def test_a_letter_that_no_font_has(issuer: Issuer) -> None:
    """A character that cannot be shown stops the token from showing a code."""
    shown = issuer.show(issuer.payment((otq1.Field(otq1.Tag.BENEFICIARY, "Müller \U000131a3 AG"),)))
    assert (shown.state, shown.code) == ("error", None)


@pytest.mark.clause("OTQ1 What a token checks")
def test_two_challenges_in_view(issuer: Issuer, token: QrToken) -> None:
    """It answers neither, as it cannot know which one is meant."""
    pictures = [picture_from_png(print_code(_login(issuer))) for _ in range(2)]
    height = max(picture.shape[0] for picture in pictures)
    white = [cv2.copyMakeBorder(p, 0, height - p.shape[0], 0, 0, cv2.BORDER_CONSTANT, value=[255]) for p in pictures]
    shown = token.scan(np.hstack(white).astype(np.uint8))
    assert (shown.state, shown.code) == ("error", None)


@pytest.mark.clause("OTQ1 What a token checks")
def test_a_poster_beside_the_challenge_does_not_disturb(issuer: Issuer, token: QrToken) -> None:
    """A code that is not ours is looked past."""
    challenge = issuer.login(LOGIN[:1])
    first = picture_from_png(print_code(otq1.encode(challenge, issuer.keys)))
    poster = picture_from_png(print_code("https://example.ch/a-poster-on-the-wall"))
    missing = max(0, first.shape[0] - poster.shape[0])
    poster = np.asarray(cv2.copyMakeBorder(poster, 0, missing, 0, 0, cv2.BORDER_CONSTANT, value=[255]), np.uint8)
    assert token.scan(np.hstack([first, poster[: first.shape[0]]])).state == "review"
    token.read_review()
    assert token.confirm() == issuer.expected(challenge)


@pytest.mark.clause("OTQ1 What a token checks")
def test_after_a_refusal_the_next_one_is_answered(issuer: Issuer, token: QrToken) -> None:
    """OK on the error's screen scans again."""
    issuer.show("https://example.ch/")
    assert token.press(Button.OK).state == "scanning"
    challenge = issuer.login()
    assert issuer.answer(challenge) == issuer.expected(challenge)
