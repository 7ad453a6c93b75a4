from dataclasses import replace
from typing import Any

import oath  # type: ignore[import-untyped] # oath ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.shown import find_hidden
from offline_qr.tiqr import (
    AuthenticationChallenge,
    Damaged,
    NotOurs,
    TiqrError,
    Unsupported,
    parse_authentication,
    parse_response_suite,
)

SECRET = bytes(range(32))
SESSION = "000102030405060708090a0b0c0d0e0f"
CHALLENGE = AuthenticationChallenge("tiqr.example.org", SESSION, "0123456789", "Example SP", "alice@example.org")
TEXT = f"tiqrauth://alice%40example.org@tiqr.example.org/{SESSION}/0123456789/Example%20SP/2"


def test_a_challenge_in_both_directions() -> None:
    """With a user and without; the user's own @ is escaped."""
    assert CHALLENGE.text == TEXT
    assert parse_authentication(TEXT) == CHALLENGE
    assert parse_authentication(TEXT.encode()) == CHALLENGE
    anyone = replace(CHALLENGE, user_id=None, version=None)
    assert parse_authentication(anyone.text) == anyone


def test_the_challenge_of_privacyidea() -> None:
    """Its session key is a transaction of 20 decimal digits, and it names no version."""
    challenge = parse_authentication(
        "tiqrauth://lukas_ucs5@org.privacyidea/11083173066293349938/c0c89b5345/privacyIDEA"
    )
    assert (challenge.user_id, challenge.server) == ("lukas_ucs5", "org.privacyidea")
    assert (challenge.version, challenge.service_provider) == (None, "privacyIDEA")
    assert len(challenge.respond(SECRET)) == 6


def test_the_link_that_a_phone_opens() -> None:
    """The same in a query."""
    link = f"https://eduid.nl/tiqrauth/?u=alice%40example.org&s={SESSION}&q=0123456789&i=tiqr.example.org&v=2"
    assert parse_authentication(link) == replace(CHALLENGE, service_provider="")


@pytest.mark.parametrize(
    ("session", "question", "code"),
    [
        # tiqr-server-libphp, OCRAWrapperTest, with the secret of RFC 6287's examples
        (bytes(range(32)).hex(), "0000000000", "525367"),
        (bytes(range(96, 128)).hex(), "3333333333", "067878"),
        (bytes(range(224, 256)).hex(), "ffffffffff", "570983"),
    ],
)
def test_the_codes_of_tiqrs_own_tests(session: str, question: str, code: str) -> None:
    """Session keys of 32 bytes, in a suite that wants 64."""
    challenge = replace(CHALLENGE, session_key=session, question=question)
    assert challenge.respond(b"12345678901234567890123456789012") == code


@pytest.mark.parametrize("session", [SESSION, "11083173066293349938", "123"])
def test_another_implementation_of_ocra_agrees(session: str) -> None:
    """The PyPI package ``oath``, whose session data must be padded by hand."""
    challenge = replace(CHALLENGE, session_key=session)
    padded = bytes.fromhex(session.zfill(128))
    plain = oath.str2ocrasuite("OCRA-1:HOTP-SHA256-8:QH10-S064")
    assert challenge.respond(SECRET, "OCRA-1:HOTP-SHA256-8:QH10-S064") == plain(SECRET, Q="0123456789", S=padded)


def test_a_suite_without_session_data_works_too() -> None:
    """And one with other inputs does not."""
    plain = oath.str2ocrasuite("OCRA-1:HOTP-SHA1-6:QN10")
    assert CHALLENGE.respond(SECRET, "OCRA-1:HOTP-SHA1-6:QN10") == plain(SECRET, Q="0123456789")
    for suite in ("OCRA-1:HOTP-SHA1-6:C-QH10", "OCRA-1:HOTP-SHA1-6:QH10-PSHA1", "OCRA-1:HOTP-SHA1-6:QH10-T1M", "x"):
        with pytest.raises(Unsupported):
            parse_response_suite(suite)
    with pytest.raises(Unsupported, match="does not fit"):
        replace(CHALLENGE, question="xyz").respond(SECRET)
    with pytest.raises(Unsupported, match="too long"):
        CHALLENGE.respond(SECRET, "OCRA-1:HOTP-SHA1-6:QH10-S004")


@pytest.mark.parametrize(
    "text", ["", "tiqrenroll://https://a/", "TIQRAUTH://a/b/c/d", "https://a/b", b"\xff", "\ud800"]
)
def test_another_code_is_not_ours(text: str | bytes) -> None:
    """Also an enrolment, or any link."""
    with pytest.raises(NotOurs, match="another code"):
        parse_authentication(text)


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("tiqrauth://a/b/c", Damaged, "4 or 5 parts .* found 3"),
        (TEXT + "/x", Damaged, "found 6"),
        (TEXT[:-1] + "3", Unsupported, "unknown protocol version: expected 2, found '3'"),
        (TEXT.replace("tiqr.example.org", ""), Damaged, "the server"),
        (TEXT.replace("tiqr.example.org", "a b"), Damaged, "the server"),
        (TEXT.replace(SESSION, "xyz"), Damaged, "the session key"),
        (TEXT.replace(SESSION, "0" * 129), Damaged, "the session key .* found 129"),
        (TEXT.replace("0123456789", ""), Damaged, "the question"),
        (TEXT.replace("alice%40example.org", ""), Damaged, "the user of the challenge is empty"),
        (TEXT.replace("alice", "%e2%80%ae"), Damaged, "the user has"),
        (TEXT.replace("alice", "%ff"), Damaged, "not UTF-8"),
        (TEXT.replace("Example", "%0A"), Damaged, "the service provider has"),
        ("tiqrauth://" + "a" * 3000, Damaged, "up to 2048 characters"),
        ("https://eduid.nl/tiqrauth/?u=alice", Damaged, "lacks its s"),
        (f"https://eduid.nl/tiqrauth/?s=1&s={SESSION}&q=1&i=a", Damaged, "stands twice"),
        (f"https://eduid.nl/tiqrauth/?s=%ff&s={SESSION}&q=1&i=a", Damaged, "cannot be read"),
    ],
)
def test_a_bad_challenge_is_refused(text: str, error: type[TiqrError], sentence: str) -> None:
    """With the part that is wrong."""
    with pytest.raises(error, match=sentence):
        parse_authentication(text)


def shown(most: int) -> Any:
    """Texts that show."""
    return st.text(min_size=1, max_size=most).filter(lambda text: not find_hidden(text))


@given(
    st.builds(
        AuthenticationChallenge,
        server=st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True),
        session_key=st.text("0123456789abcdefABCDEF", min_size=1, max_size=128),
        question=st.text("0123456789abcdefXYZ", min_size=1, max_size=64),
        service_provider=shown(20),
        user_id=st.none() | shown(20),
        version=st.sampled_from(["2", None]),
    )
)
def test_what_is_sent_is_what_arrives(challenge: AuthenticationChallenge) -> None:
    """Whatever the names are."""
    assert parse_authentication(challenge.text) == challenge


@given(st.text(max_size=60) | st.text("/@%0a2.", max_size=60).map(lambda text: f"tiqrauth://{text}"))
def test_any_text_is_a_challenge_or_refused(text: str) -> None:
    """And what is a challenge stays one when it is written again."""
    try:
        challenge = parse_authentication(text)
    except TiqrError:
        return
    assert parse_authentication(challenge.text) == challenge
