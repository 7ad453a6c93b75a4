import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr import pskc
from server_stub.cloud.messages import ImportToken
from server_stub.token_files import HOTP, OTQ1, TOTP, TokenFileError, read_csv, read_pskc

SEED, KEY = bytes(range(32)), bytes(range(20))
GOOD = f"serial,kind,seed_hex,display_name,period\nQT-1,qr,{SEED.hex()},Blue,\nOTP-1,totp,{KEY.hex()},,60\n"


def test_a_csv_file_gives_its_tokens() -> None:
    """A column may be empty; a token without a name is called by its serial."""
    assert read_csv(GOOD) == [
        ImportToken("QT-1", SEED.hex(), "Blue", "qr", 8),
        ImportToken("OTP-1", KEY.hex(), "OTP-1", "totp", 6, period=60),
    ]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("period", "colour", "line 1: there is no column 'colour'"),
        ("period", "serial", "line 1: a column stands there twice"),
        ("QT-1", "", "line 2: .*serial"),
        ("qr", SEED.hex(), "line 2: the kind is none of qr"),
        ("display_name", "algorithm", "line 2: the algorithm is none of"),
        (SEED.hex(), SEED.hex()[:-2], "line 2: a seed for offline QR has 32 bytes"),
        (SEED.hex(), "xyz", "line 2: .*seed_hex"),
        (",60", ",sixty", "line 3: .*whole numbers"),
        (",60", ",1", "line 3: .*period"),
        (",,60", "", "line 3: it has another number of columns"),
        (",60", ",60,more", "line 3: it has another number of columns"),
        ("OTP-1", "QT-1", "line 3: the serial QT-1 stands in the file twice"),
        (GOOD, "", "holds no token"),
        (GOOD, 'serial,kind,seed_hex\n"open', "line"),
    ],
)
def test_a_csv_file_that_is_wrong_is_refused_with_the_line(old: str, new: str, sentence: str) -> None:
    """And never with a seed in the sentence."""
    with pytest.raises(TokenFileError, match=sentence) as caught:
        read_csv(GOOD.replace(old, new, 1))
    assert SEED.hex()[:16] not in str(caught.value)


@given(st.text(max_size=200) | st.lists(st.text(max_size=8)).map(lambda cells: GOOD + ",".join(cells)))
def test_any_text_is_tokens_or_one_sentence(text: str) -> None:
    """Never another error."""
    with contextlib.suppress(TokenFileError):
        assert read_csv(text)


@pytest.mark.parametrize("how", [{}, {"key": bytes(16)}, {"password": "under a password"}])
def test_a_pskc_file_gives_its_tokens(how: dict[str, bytes | str]) -> None:
    """In plain text, under a key, or under a password; the algorithm says the kind."""
    keys = [
        pskc.PskcKey("1", KEY, HOTP, serial="OTP-1", digits=6, counter=7),
        pskc.PskcKey("2", KEY, TOTP, digits=8, time_interval=60, suite="HMAC-SHA256"),
        pskc.PskcKey("3", SEED, OTQ1, serial="QT-1"),
    ]
    data = pskc.write(keys, draw=bytes, **how)  # type: ignore[arg-type] # key or password
    assert read_pskc(data, **how) == [  # type: ignore[arg-type] # as above
        ImportToken("OTP-1", KEY.hex(), "OTP-1", "hotp", 6, counter=7),
        ImportToken("2", KEY.hex(), "2", "totp", 8, "sha256", 60),
        ImportToken("QT-1", SEED.hex(), "QT-1", "qr", 8),
    ]


def test_a_pskc_file_that_is_of_no_use_is_refused() -> None:
    """Another algorithm, another key, no XML at all."""
    for data, sentence in (
        (pskc.write([pskc.PskcKey("1", KEY, "urn:other")]), "key '1': the kind is none of"),
        (pskc.write([pskc.PskcKey("1", KEY, HOTP)], key=bytes(16), draw=bytes), "encrypted|key"),
        (b"<html>", r"\w"),
    ):
        with pytest.raises(TokenFileError, match=sentence):
            read_pskc(data)
