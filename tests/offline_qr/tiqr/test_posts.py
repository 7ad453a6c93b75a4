from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.tiqr import (
    AuthenticationChallenge,
    Damaged,
    Login,
    Registration,
    Reply,
    ReplyCode,
    TiqrError,
    parse_login,
    parse_registration,
    parse_reply,
)

SECRET = bytes(range(32))
V2 = {"x-tiqr-protocol-version": "2"}


def test_a_registration_in_both_directions() -> None:
    """With the members that the protocol names."""
    registration = Registration(SECRET, "nl", "GCM", "token/1")
    assert parse_qs(registration.form) == {
        "secret": [SECRET.hex()],
        "language": ["nl"],
        "notificationType": ["GCM"],
        "notificationAddress": ["token/1"],
        "version": ["2"],
        "operation": ["register"],
    }
    assert parse_registration(registration.form.encode()) == registration
    assert parse_registration(f"secret={SECRET.hex().upper()}&operation=register".encode()).secret == SECRET


def test_a_login_in_both_directions() -> None:
    """Answering a challenge."""
    challenge = AuthenticationChallenge("tiqr.example.org", "0a0b", "0123456789")
    login = Login.answering(challenge, "alice & bob", "012345")
    assert parse_qs(login.form) == {
        "sessionKey": ["0a0b"],
        "userId": ["alice & bob"],
        "response": ["012345"],
        "language": ["en"],
        "operation": ["login"],
        "version": ["2"],
    }
    assert parse_login(login.form.encode()) == login


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (b"", "expected the operation login, found ''"),
        (b"operation=register", "found 'register'"),
        (b"operation=login", "lacks its sessionKey"),
        (b"operation=login&sessionKey=1&userId=a&response=12x", "4 to 10 digits, found 3"),
        (b"operation=login&operation=login", "stands twice"),
        (b"operation=login&userId=%ff", "no form"),
        (b"\xff", "no form"),
        (b"a=1&" * 21, "no form"),
        (b"a" * 20_000, "up to 16384 bytes"),
    ],
)
def test_a_bad_login_is_refused(form: bytes, sentence: str) -> None:
    """By the server."""
    with pytest.raises(Damaged, match=sentence):
        parse_login(form)


def test_a_bad_secret_is_refused_and_not_quoted() -> None:
    """The sentence holds a length."""
    for secret in ("", "00" * 31, "00" * 33, "zz" * 32):
        with pytest.raises(Damaged, match="64 hex digits") as refused:
            parse_registration(f"secret={secret}&operation=register".encode())
        assert "zz" not in str(refused.value)
    assert "0001" not in repr(Registration(SECRET))
    assert "012345" not in repr(Login("1", "alice", "012345"))


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        (b"OK", Reply(ReplyCode.OK)),
        (b"OK\n", Reply(ReplyCode.OK)),
        (b"INVALID_RESPONSE", Reply(ReplyCode.INVALID_RESPONSE)),
        (b"INVALID_RESPONSE:9", Reply(ReplyCode.INVALID_RESPONSE, 9)),
        (b"INVALID_CHALLENGE", Reply(ReplyCode.INVALID_CHALLENGE)),
        (b"INVALID_USERID", Reply(ReplyCode.INVALID_USER)),
        (b"ACCOUNT_BLOCKED", Reply(ReplyCode.ACCOUNT_BLOCKED)),
    ],
)
def test_replies_of_protocol_1(body: bytes, reply: Reply) -> None:
    """Words."""
    assert parse_reply(body, {}) == reply
    assert parse_reply(reply.word.encode(), {}) == reply


def test_replies_of_protocol_2() -> None:
    """Numbers, as tiqr's app for Android lists them."""
    assert parse_reply(b'{"responseCode":1}', V2) == Reply(ReplyCode.OK)
    assert parse_reply(b'{"responseCode":201,"attemptsLeft":2}', V2) == Reply(ReplyCode.INVALID_RESPONSE, 2)
    assert parse_reply(b'{"responseCode":204,"duration":5}', V2) == Reply(ReplyCode.ACCOUNT_BLOCKED, duration=5)
    assert Reply(ReplyCode.INVALID_RESPONSE, 2).pack() == b'{"responseCode":201,"attemptsLeft":2}'
    assert Reply(ReplyCode.INVALID_ENROLMENT).word == "INVALID_REQUEST"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"ok", {}),
        (b"<html>", {}),
        (b"INVALID_RESPONSE:-1", {}),
        (b'{"responseCode":1}', {}),
        (b"OK", V2),
        (b'{"responseCode":2}', V2),
        (b'{"responseCode":"1"}', V2),
        (b"[" * 4000, V2),
        (b"O" * 5000, {}),
    ],
)
def test_a_page_that_is_no_reply_is_refused(body: bytes, headers: dict[str, str]) -> None:
    """Above all, nothing but the reply itself is taken for a yes."""
    with pytest.raises(Damaged):
        parse_reply(body, headers)


@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_a_post_or_refused(data: bytes, json: bool) -> None:  # noqa: FBT001 - Hypothesis gives it
    """Of either kind, and as a reply."""
    for parse in (parse_login, parse_registration, lambda body: parse_reply(body, V2 if json else {})):
        try:
            parse(data)
        except TiqrError:
            continue
