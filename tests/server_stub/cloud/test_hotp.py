import base64

import oath  # type: ignore[import-untyped] # it has no types
import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.cloud.hotp import find, find_two, hotp

KEY = b"12345678901234567890"
RFC_4226 = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]


@pytest.mark.parametrize(("factor", "code"), list(enumerate(RFC_4226)))
def test_the_codes_of_rfc_4226(factor: int, code: str) -> None:
    """Appendix D."""
    assert hotp(KEY, factor, 6) == code


@pytest.mark.parametrize(
    ("time", "algorithm", "length", "code"),
    [
        (59, "sha1", 20, "94287082"),
        (1111111109, "sha256", 32, "68084774"),
        (20000000000, "sha512", 64, "47863826"),
    ],
)
def test_codes_of_rfc_6238(time: int, algorithm: str, length: int, code: str) -> None:
    """Appendix B, one row of each hash."""
    key = (KEY * 4)[:length]
    assert hotp(key, time // 30, 8, algorithm) == code


@given(st.binary(min_size=16, max_size=64), st.integers(0, 2**62), st.integers(6, 8))
def test_two_other_libraries_compute_the_same(key: bytes, factor: int, digits: int) -> None:
    """Independent judges."""
    code = hotp(key, factor, digits)
    assert code == oath.hotp(key.hex(), factor, format=f"dec{digits}")
    assert code == pyotp.HOTP(base64.b32encode(key).decode(), digits=digits).at(factor)


def test_the_lowest_factor_that_fits_is_found() -> None:
    """And nothing outside of the window."""
    assert find(KEY, RFC_4226[4], range(2, 8), 6, "sha1") == 4
    assert find(KEY, RFC_4226[4], range(5, 8), 6, "sha1") is None
    assert find_two(KEY, (RFC_4226[4], RFC_4226[5]), range(10), 6, "sha1") == 4
    assert find_two(KEY, (RFC_4226[4], RFC_4226[6]), range(10), 6, "sha1") is None
