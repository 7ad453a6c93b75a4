import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.hwtoken.personalities.foreign import name_of


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"https://www.example.ch/login?x=1", "a web address"),
        (b"HTTP://EXAMPLE.CH", "a web address"),
        (b"otpauth://totp/Bank:alice?secret=JBSWY3DPEHPK3PXP", "an OTP set-up code"),
        (b"otpauth-migration://offline?data=CjE", "an OTP set-up code"),
        (b"AQB1:ABC", "a badge"),
        (b"tiqrauth://idp/0123/4567/sp/2", "a tiqr code"),
        (b"lseqr://chal/AAAA", "a LinOTP code"),
        (b"FIDO:/123456789", "a passkey code"),
        (b"WIFI:S:guest;;", "a Wi-Fi code"),
        (b"BEGIN:VCARD\nN:Alice", "a contact card"),
        (b"SPC\r\n0200\r\n1", "a payment slip"),
        (b"otq1:ABC", "a garbled code"),
        (b"4006381333931", "a number"),
        (b"", "an empty code"),
        (b"\xff\xfe\x00", "a code without text"),
        (b"Zuerich", "some other text"),
        (b"123 Main Street", "some other text"),
    ],
)
def test_common_codes_have_names(data: bytes, name: str) -> None:
    """What a user may hold before the camera by mistake."""
    assert name_of(data) == name


@given(st.binary(max_size=60))
def test_every_code_has_a_short_name_of_ours(data: bytes) -> None:
    """Nothing of what was scanned gets into the sentence."""
    assert name_of(data).split()[0] in {"a", "an", "some"}
    assert len(name_of(data)) < 25
