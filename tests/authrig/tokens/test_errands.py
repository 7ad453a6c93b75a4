import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authrig.tokens.errands import MAX_BYTES, Courier, check_address
from authrig.tokens.token_file import AppAccount
from emulators.hwtoken.network import (
    AnswerPush,
    Done,
    FetchPushes,
    HttpGet,
    HttpPost,
    HttpReply,
    Push,
    Pushes,
    TooLate,
    Unreachable,
)
from tests.authrig.tokens.loopback import Got, Says, serving

DEVICE = "153010c6-c7cc-4507-9883-1fb148118bc1"


def account(url: str) -> AppAccount:
    """Of an app at the cloud at ``url``."""
    return AppAccount(url, DEVICE, "11" * 32, "")


def test_a_reply_is_brought_as_it_is() -> None:
    """Method, path, form and headers go out; status, body and headers come back."""
    seen: list[Got] = []

    def answer(got: Got) -> Says:
        seen.append(got)
        return Says(202, b"hello", {"X-Some": "Thing"})

    with serving(answer) as url:
        wanted = HttpPost(f"{url}/a?b=c", b"x=1", headers=(("X-TIQR-Protocol-Version", "2"),))
        reply = Courier().do(wanted, None)
    assert isinstance(reply, HttpReply)
    assert (reply.status, reply.body, reply.headers["x-some"]) == (202, b"hello", "Thing")
    [got] = seen
    assert (got.method, got.path, got.body) == ("POST", "/a?b=c", b"x=1")
    assert got.headers["content-type"] == "application/x-www-form-urlencoded"
    assert got.headers["x-tiqr-protocol-version"] == "2"


def test_no_redirect_is_followed() -> None:
    """Whoever printed the code chose one address, and no other is visited."""
    seen: list[str] = []

    def answer(got: Got) -> Says:
        seen.append(got.path)
        return Says(302, headers={"Location": "/elsewhere"})

    with serving(answer) as url:
        reply = Courier().do(HttpGet(f"{url}/here"), None)
    assert isinstance(reply, HttpReply)
    assert (reply.status, seen) == (302, ["/here"])


URLS = [
    "http://example.org/",
    "http://192.168.1.1/",
    "http://127.0.0.1.example.org/",
    "http://localhost@example.org/",
    "http://0.0.0.0/",
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "HTTP://example.org",
    "//127.0.0.1/",
    "",
    "https://",
    "https://[::1",
    "https://exa mple.org/",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:1/",
    "https://127.0.0.1:1/",
    "https://xn--.example/\0",
    "http://example.org\\@127.0.0.1/",
    "http://example.org\t@127.0.0.1/",
    "http://[::1]example.org/",
    "http://127.0.0.1\n.example.org/",
]


@pytest.mark.parametrize("url", URLS)
def test_no_other_address_is_visited(url: str) -> None:
    """Plain HTTP to this machine only; what cannot be visited is an answer, not a crash."""
    assert Courier(seconds=5).do(HttpGet(url), None) == Unreachable()


@given(st.sampled_from(["https", "http", "file", ""]), st.text(max_size=20) | st.ip_addresses().map(str))
@settings(deadline=None, max_examples=200)
def test_whatever_a_code_names_is_allowed_or_an_error(scheme: str, host: str) -> None:
    """Nothing but a ValueError; without TLS nothing leaves this machine."""
    try:
        here = check_address(scheme, host)
    except ValueError:
        return
    assert scheme == "https" or (scheme == "http" and here)
    if here:
        assert host == "localhost" or ipaddress.ip_address(host).is_loopback


@contextmanager
def raw_server(*parts: bytes, pause: float = 0.0) -> Iterator[str]:
    """Says ``parts`` with pauses between them, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                try:
                    for part in parts:
                        connection.sendall(part)
                        time.sleep(pause)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(timeout=20)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"hello\r\n\r\n",
        HEAD + b"Content-Length: 100\r\n\r\nhalf",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        HEAD + b"\r\n" + b"x" * (MAX_BYTES + 1),
        HEAD + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
    ],
    ids=["nothing", "no http", "half", "bad chunk", "bad gzip", "endless", "long header"],
)
def test_a_broken_answer_is_none(said: bytes) -> None:
    """The token is told that there was no answer."""
    with raw_server(said) as url:
        assert Courier(seconds=5).do(HttpGet(url), None) == Unreachable()


def test_a_slow_answer_is_given_up() -> None:
    """Also one that comes a byte at a time, each in time."""
    begun = time.monotonic()
    with raw_server(HEAD + b"\r\n", *[b"x"] * 12, pause=0.1) as url:
        assert Courier(seconds=0.5).do(HttpGet(url), None) == Unreachable()
    assert time.monotonic() - begun < 20


def test_pushes_are_read_strictly() -> None:
    """A good list comes through; anything else is no answer. An app that is not enrolled asks nobody."""
    good = b'{"requests":[{"session_id":"ab","device_id":"d","text":"Login: x","expires_at":5.0}]}'
    answers = {"now": Says(body=good)}
    with serving(lambda _: answers["now"]) as url:
        fetch = FetchPushes()
        assert Courier().do(fetch, account(url)) == Pushes((Push("ab", "Login: x", 5.0),))
        for bad in (Says(body=b"{"), Says(body=b'{"requests":[{}]}'), Says(401, good), Says(body=b"\xff"), Says(500)):
            answers["now"] = bad
            assert Courier().do(fetch, account(url)) == Unreachable()
    assert Courier().do(FetchPushes(), None) == Unreachable()
    assert Courier().do(AnswerPush("ab", approve=True), None) == Unreachable()


def test_an_answer_counts_only_where_the_server_took_it() -> None:
    """Approved is what the server calls approved."""
    answers = {"now": Says(body=b'{"session_id":"ab","status":"approved"}')}
    seen: list[Got] = []

    def answer(got: Got) -> Says:
        seen.append(got)
        return answers["now"]

    with serving(answer) as url:
        approve = AnswerPush("ab", approve=True)
        assert Courier().do(approve, account(url)) == Done()
        assert seen[0].path == f"/srv/app/v1/devices/{DEVICE}/push-requests/ab/answer"
        assert Courier().do(AnswerPush("ab", approve=False), account(url)) == Unreachable()
        answers["now"] = Says(409, b"{}")
        assert Courier().do(approve, account(url)) == TooLate()
        count = len(seen)
        assert Courier().do(AnswerPush("../../x", approve=True), account(url)) == Unreachable()
        assert len(seen) == count


def test_no_text_shows_the_key() -> None:
    """Not even that of a debugger."""
    assert "11" * 32 not in repr(account("http://127.0.0.1"))
