"""Reading: what is in the code comes out of the scanner, byte for byte, once each time it is shown."""

import io

import numpy as np
import pytest
import segno

from authrig.pictures import picture_from_png, print_code
from authrig.ports.scanner import Scanner
from emulators.camera_scanner.frames import Image
from offline_qr import otq1

pytestmark = pytest.mark.hil("scanner")


def _picture(payload: str | bytes) -> Image:
    return picture_from_png(print_code(payload))


def _drawn(payload: str | bytes, **options: object) -> Image:
    file = io.BytesIO()
    segno.make(payload, **options).save(file, kind="png", scale=8, border=4)  # type: ignore[arg-type]  # passed on
    return picture_from_png(file.getvalue())


PAYLOADS: dict[str, str] = {
    "digits": "0123456789012",
    "leading zeros": "0000042",
    "alphanumeric": "HTTPS://EXAMPLE.CH/$%*+-./:",
    "mixed case": "https://example.ch/Path?q=1&r=aB",
    "a space at each end": " OTQ1: ",
    "punctuation": "!\"#'()<>[]{}|~^`",
    "braces and backslashes": "{ENTER}\\000026\\r",
    "one character": "7",
    "a badge": "0123456789ABCDEF0123456789ABCDEF",
}


@pytest.mark.clause("ISO/IEC 18004 §7.4")
@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_payload(scanner: Scanner, payload: str) -> None:
    """Nothing is trimmed, changed or added."""
    assert scanner.scan(_picture(payload)) == payload.encode()


@pytest.mark.clause("ISO/IEC 18004 §7.4")
@pytest.mark.hil("scanner", caps=["utf-8"])
@pytest.mark.parametrize("payload", ["Zürich, 3. März", "日本語", "a€b"])
def test_utf_8(scanner: Scanner, payload: str) -> None:
    """Other letters come as the bytes of UTF-8."""
    assert scanner.scan(_picture(payload.encode())) == payload.encode()


@pytest.mark.clause("ISO/IEC 18004 §7.4.5")
@pytest.mark.hil("scanner", caps=["binary"])
def test_every_byte(scanner: Scanner) -> None:
    """All 256, control characters and those that are no text among them."""
    payload = bytes(range(256))
    assert scanner.scan(_picture(payload)) == payload


@pytest.mark.clause("OTQ1 Message")
def test_a_challenge_of_a_token(scanner: Scanner) -> None:
    """Base45 has spaces; the message is read as the server wrote it."""
    header = otq1.Header(otq1.MessageType.LOGIN, otq1.key_id("QT1-1"), bytes(12), 1_767_225_600, 180)
    fields = (otq1.Field(otq1.Tag.SERVICE, "E-Banking"), otq1.Field(otq1.Tag.USER, "alice"))
    text = otq1.encode(otq1.Challenge(header, fields), otq1.derive_keys("QT1-1", bytes(32)))
    assert scanner.scan(_picture(text)) == text.encode()


@pytest.mark.clause("ISO/IEC 18004 §6.1")
@pytest.mark.parametrize("level", ["l", "m", "q", "h"])
def test_error_correction_levels(scanner: Scanner, level: str) -> None:
    """Each of the four."""
    assert scanner.scan(_drawn("LEVEL " + level.upper(), error=level, boost_error=False, micro=False))


@pytest.mark.clause("ISO/IEC 18004 §6.1")
@pytest.mark.parametrize("version", [1, 2, 4, 7])
def test_versions(scanner: Scanner, version: int) -> None:
    """From 21 to 45 modules."""
    assert scanner.scan(_drawn("VERSION", version=version, error="l")) == b"VERSION"


@pytest.mark.clause("ISO/IEC 18004 §6.1")
@pytest.mark.hil("scanner", caps=["micro-qr"])
def test_micro_qr(scanner: Scanner) -> None:
    """M4, with one finder pattern."""
    assert scanner.scan(_drawn("MICRO 42", micro=True, error="m")) == b"MICRO 42"


@pytest.mark.clause("ISO/IEC 18004 §12")
def test_the_same_code_again(scanner: Scanner) -> None:
    """A second user with the same badge does not wait for a re-read delay: each trigger reads."""
    picture = _picture("THE SAME BADGE")
    assert [scanner.scan(picture) for _ in range(3)] == [b"THE SAME BADGE"] * 3


@pytest.mark.clause("ISO/IEC 18004 §12")
def test_the_next_code_is_not_the_last_one(scanner: Scanner) -> None:
    """Nothing of the code before is left in a buffer."""
    codes = [f"BADGE {number}" for number in (1, 22, 333, 22, 1)]
    assert [scanner.scan(_picture(code)) for code in codes] == [code.encode() for code in codes]


@pytest.mark.clause("ISO/IEC 18004 §12")
def test_nothing_is_read_where_nothing_is(scanner: Scanner) -> None:
    """White paper has no code on it; the next badge is read."""
    assert scanner.try_to_scan(np.full((240, 240), 255, np.uint8)) is None
    assert scanner.scan(_picture("A BADGE")) == b"A BADGE"


@pytest.mark.clause("ISO/IEC 18004 §12")
def test_half_a_code_is_none(scanner: Scanner) -> None:
    """What is torn off is not made up."""
    picture = _picture("A BADGE THAT WAS TORN").copy()
    picture[:, picture.shape[1] // 2 :] = 255
    assert scanner.try_to_scan(picture) is None


@pytest.mark.clause("ISO/IEC 18004 §12")
def test_of_two_codes_one_is_read_whole(scanner: Scanner) -> None:
    """Never a mixture."""
    both = np.hstack([_picture("BADGE ONE"), _picture("BADGE TWO")])
    assert scanner.scan(both) in (b"BADGE ONE", b"BADGE TWO")
