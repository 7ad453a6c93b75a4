from dataclasses import replace
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.cloud.signing import Credentials, Signed, sign, why_refused

CREDENTIALS = Credentials("authrig", bytes(32))
REQUEST = Signed("POST", "127.0.0.1:1", "/srv/auth/v1/user/auth?x=1", b'{"a":1}')
NOW = 1_767_225_600.0


def verdict(
    request: Signed, headers: dict[str, str], now: float = NOW, credentials: Credentials = CREDENTIALS
) -> str | None:
    """What the cloud says to ``request`` with ``headers``."""
    return why_refused(credentials, request, headers["FT-Date"], headers["Authorization"], now)


def test_a_signed_request_is_believed_for_five_minutes() -> None:
    """Either way, for clocks that differ."""
    headers = sign(CREDENTIALS, REQUEST, NOW)
    assert verdict(REQUEST, headers) is None
    assert verdict(REQUEST, headers, NOW + 300) is None
    assert verdict(REQUEST, headers, NOW - 300) is None
    assert "300 seconds" in str(verdict(REQUEST, headers, NOW + 301))
    assert "300 seconds" in str(verdict(REQUEST, headers, NOW - 301))


@pytest.mark.parametrize(
    "changed",
    [
        replace(REQUEST, method="PUT"),
        replace(REQUEST, host="127.0.0.1:2"),
        replace(REQUEST, target="/srv/auth/v1/user/auth?x=2"),
        replace(REQUEST, body=b'{"a":2}'),
    ],
)
def test_every_part_of_the_request_is_signed(changed: Signed) -> None:
    """A proxy cannot change one of them."""
    assert verdict(changed, sign(CREDENTIALS, REQUEST, NOW)) == "the service id or the signature is wrong"


def test_the_date_and_the_account_are_signed_too() -> None:
    """A recorded signature cannot be given a new date, and each API has its own key."""
    headers = sign(CREDENTIALS, REQUEST, NOW)
    assert verdict(REQUEST, headers | {"FT-Date": formatdate(NOW + 1, usegmt=True)}) is not None
    assert verdict(REQUEST, headers, credentials=Credentials("authrig", bytes(31) + b"\1")) is not None
    assert verdict(REQUEST, headers, credentials=Credentials("other", bytes(32))) is not None


@given(st.text(), st.text())
def test_no_header_makes_the_check_stumble(date: str, authorization: str) -> None:
    """Whatever is sent is refused in a sentence."""
    assert why_refused(CREDENTIALS, REQUEST, date, authorization, NOW)
    good = formatdate(NOW, usegmt=True)
    assert why_refused(CREDENTIALS, REQUEST, good, authorization, NOW)


def test_the_key_is_not_in_the_repr() -> None:
    """Nor, so, in a log."""
    assert "key" not in repr(Credentials("authrig", b"secret key"))
