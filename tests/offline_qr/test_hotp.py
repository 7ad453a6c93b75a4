import hmac

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.hotp import truncate


def test_the_example_of_the_rfc() -> None:
    """RFC 4226 §5.4."""
    digest = bytes.fromhex("1f8698690e02ca16618550ef7f19da8e945b555a")
    assert truncate(digest, 6) == "872921"
    assert truncate(digest, 10) == "1357872921"


@pytest.mark.parametrize("digits", [6, 7, 8])
@given(st.integers(0, 2**63))
def test_pyotp_agrees(digits: int, counter: int) -> None:
    """For any counter."""
    digest = hmac.digest(b"12345678901234567890", counter.to_bytes(8), "sha1")
    other = pyotp.HOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", digits=digits)
    assert truncate(digest, digits) == other.at(counter)
