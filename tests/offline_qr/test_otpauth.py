import base64
from dataclasses import replace
from typing import Any

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.otpauth import NotOtpAuthError, OtpAccount, OtpAuthError, OtpType, parse
from offline_qr.shown import find_hidden

SECRET = b"12345678901234567890"
BASE32 = base64.b32encode(SECRET).decode()
TOTP = OtpAccount(OtpType.TOTP, SECRET, "alice@example.org", "Example", period=30)
HOTP = OtpAccount(OtpType.HOTP, SECRET, "alice@example.org", "Example", "SHA256", 8, counter=7)


def test_the_example_of_the_format() -> None:
    """From the page that everyone implements."""
    account = parse("otpauth://totp/Example:alice@google.com?secret=JBSWY3DPEHPK3PXP&issuer=Example")
    assert account == OtpAccount(OtpType.TOTP, b"Hello!\xde\xad\xbe\xef", "alice@google.com", "Example")


@pytest.mark.parametrize("account", [TOTP, HOTP], ids=["totp", "hotp"])
def test_an_account_in_both_directions_and_as_pyotp_reads_it(account: OtpAccount) -> None:
    """The same codes as RFC 4226 and RFC 6238 have for this secret."""
    assert parse(account.text) == parse(account.text.encode()) == account
    other = pyotp.parse_uri(account.text)
    assert (other.name, other.issuer, other.digits) == (account.account, account.issuer, account.digits)
    if isinstance(other, pyotp.TOTP):
        assert other.at(59) == "287082"
    else:
        assert isinstance(other, pyotp.HOTP)
        assert other.initial_count == 7
    rfc4226 = pyotp.parse_uri(replace(HOTP, algorithm="SHA1", digits=6, counter=0).text)
    assert isinstance(rfc4226, pyotp.HOTP)
    assert [rfc4226.at(counter) for counter in range(3)] == ["755224", "287082", "359152"]


@pytest.mark.parametrize(
    ("label", "issuer", "account"),
    [
        ("alice", "", "alice"),
        ("Example:alice", "Example", "alice"),
        ("Example%3Aalice", "Example", "alice"),
        ("Example:%20alice", "Example", "alice"),
        ("Ex%3Aample:alice", "Ex:ample", "alice"),
        ("B%C3%BCro%20AG:alice", "Büro AG", "alice"),
    ],
)
def test_labels_as_apps_write_them(label: str, issuer: str, account: str) -> None:
    """With a colon, escaped or not, and a space after it."""
    found = parse(f"otpauth://totp/{label}?secret={BASE32}")
    assert (found.issuer, found.account) == (issuer, account)


def test_what_is_not_said_has_a_default_and_what_is_unknown_is_left_aside() -> None:
    """Six digits of SHA-1."""
    account = parse(f"otpauth://hotp/alice?secret={BASE32.lower()}====&image=https://x&issuer=Example")
    assert (account.algorithm, account.digits, account.period, account.counter) == ("SHA1", 6, None, None)
    assert parse(f"otpauth://totp/a?secret={BASE32}&algorithm=sha512").algorithm == "SHA512"
    assert "counter=0" in account.text
    assert "period=30" in replace(TOTP, period=None).text


@pytest.mark.parametrize("text", ["", "OTPAUTH://totp/a", "otpauth-migration://offline?data=", "https://a", b"\xff"])
def test_another_code_is_not_ours(text: str | bytes) -> None:
    """Also an export of many accounts."""
    with pytest.raises(NotOtpAuthError):
        parse(text)


@pytest.mark.parametrize(
    ("rest", "sentence"),
    [
        ("steam/a?secret=" + BASE32, "unknown type"),
        ("totp/a", "the secret is missing"),
        ("totp/a?secret=", "10 to 128 bytes, found 0"),
        ("totp/a?secret=JBSWY3DP", "10 to 128 bytes, found 5"),
        ("totp/a?secret=" + "A" * 208, "10 to 128 bytes, found 130"),
        ("totp/a?secret=JBSWY3DPEHPK3PX1", "not base32"),
        ("totp/a?secret=JBSWY3DPEHPK3PXPA", "not base32"),
        ("totp/?secret=" + BASE32, "the account has 1 to 255"),
        ("totp/a%E2%80%AE?secret=" + BASE32, "the account has"),
        ("totp/%FF?secret=" + BASE32, "label is not UTF-8"),
        ("totp/%FF:a?secret=" + BASE32, "label is not UTF-8"),
        (f"totp/a?secret={BASE32}&secret={BASE32}", "secret stands twice"),
        (f"totp/a?secret={BASE32}&digits=6&digits=8", "digits stands twice"),
        (f"totp/a?secret={BASE32}&digits=9", "6 to 8 digits, found 9"),
        (f"totp/a?secret={BASE32}&digits=0", "6 to 8 digits, found 0"),
        (f"totp/a?secret={BASE32}&digits=six", "digits is a decimal number"),
        (f"totp/a?secret={BASE32}&period=0", "1 to 3600 seconds"),
        (f"totp/a?secret={BASE32}&period=-30", "period is a decimal number"),
        (f"totp/a?secret={BASE32}&counter=1", "TOTP has no counter"),
        (f"hotp/a?secret={BASE32}&period=30", "HOTP code has no period"),
        (f"hotp/a?secret={BASE32}&counter={2**64}", "counter is 0 to"),
        (f"totp/a?secret={BASE32}&algorithm=MD5", "unknown algorithm"),
        (f"totp/B:a?secret={BASE32}&issuer=C", "different issuers"),
        (f"totp/a?secret={BASE32}&issuer=%FF", "cannot be read"),
        ("totp/" + "a" * 3000, "up to 2048 characters"),
    ],
)
def test_a_bad_url_is_refused_and_no_secret_quoted(rest: str, sentence: str) -> None:
    """With the part that is wrong."""
    with pytest.raises(OtpAuthError, match=sentence) as refused:
        parse(f"otpauth://{rest}")
    assert BASE32[:8] not in str(refused.value)
    assert "JBSWY" not in str(refused.value)


def test_no_secret_is_printed() -> None:
    """Of an account."""
    assert "1234567" not in repr(TOTP)
    assert BASE32[:8] not in repr(TOTP)


def shown(least: int) -> Any:
    """Names that show; a space at the front is taken for the one after the colon."""
    return st.text(min_size=least, max_size=20).filter(lambda text: not find_hidden(text) and not text.startswith(" "))


@given(
    st.sampled_from(OtpType),
    st.binary(min_size=10, max_size=64),
    shown(1),
    shown(1),
    st.sampled_from(["SHA1", "SHA256", "SHA512"]),
    st.integers(6, 8),
    st.integers(1, 3600),
)
def test_any_account_arrives(  # noqa: PLR0917 - Hypothesis gives them
    kind: OtpType, secret: bytes, account: str, issuer: str, algorithm: str, digits: int, number: int
) -> None:
    """Whatever the names are."""
    made = (
        OtpAccount(kind, secret, account, issuer, algorithm, digits, period=number)
        if kind is OtpType.TOTP
        else OtpAccount(kind, secret, account, issuer, algorithm, digits, counter=number)
    )
    assert parse(made.text) == made


@given(st.text(max_size=60) | st.text("?&=%:/secrtA2", max_size=60).map(lambda text: "otpauth://totp/" + text))
def test_any_text_is_an_account_or_refused(text: str) -> None:
    """Nothing else happens."""
    try:
        parse(text)
    except OtpAuthError:
        return
