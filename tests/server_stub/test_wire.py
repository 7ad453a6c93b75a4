"""What comes in below the REST: broken, slow and double-tongued HTTP, on a raw socket."""

import contextlib
import itertools
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from server_stub.settings import Settings
from tests.server_stub.world import CHEAP, NO_TLS, World, own_world

ACCESS = "/auth/rest/public/authentication/applications/self-service/access"

KEEP_AWAY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Nobody keeps an answer, takes it for something else, or puts it into a page."""


def connect(world: World) -> socket.socket:
    """A connection to the public port."""
    address = urlsplit(world.server.public_url)
    assert address.hostname is not None
    assert address.port is not None
    return socket.create_connection((address.hostname, address.port), timeout=10)


def told(world: World, request: bytes) -> bytes:
    """All that the server answers before it closes the connection."""
    with connect(world) as wire:
        wire.sendall(request)
        wire.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: wire.recv(65536), b""))


def request(*headers: str, body: bytes = b"{}") -> bytes:
    """An access call with these headers."""
    lines = [f"POST {ACCESS} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.fixture
def slow_clients(world: World) -> Iterator[int]:
    """Two hundred connections that have sent half a header."""
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connect(world)).sendall(b"POST / HTTP/1.1\r\nHost: local")
        yield 200


def test_clients_that_never_finish_keep_nobody_out(world: World, slow_clients: int) -> None:
    """The next one is answered, although those have twenty seconds."""
    assert httpx.get(f"{world.server.public_url}/health", timeout=10, verify=NO_TLS).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        ("X-Same-Domain: 1", "Content-Length: 2", "Transfer-Encoding: chunked"),
        ("X-Same-Domain: 1", "Content-Length: 2", "Content-Length: 40"),
        ("X-Same-Domain: 1", "Content-Length: -2"),
        ("X-Same-Domain: 1", "Content-Length: 2x"),
        ("X-Same-Domain: 1", "Content-Length : 2"),
        ("X-Same-Domain: 1", "Transfer-Encoding: chunked, identity"),
        ("X-Same-Domain: 1", "Transfer-Encoding:\x0bchunked"),
        ("X-Same-Domain: 1", "X-Folded: a\r\n Content-Length: 2", "Content-Length: 40"),
    ],
)
def test_a_request_with_two_lengths_is_one_request_at_most(world: World, headers: tuple[str, ...]) -> None:
    """What one reader takes for a body and another for a second request is never answered as a request."""
    smuggled = b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = told(world, request(*headers, body=smuggled))
    assert b'"status":"ok"' not in answer
    assert answer.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    ("version", "headers", "status"),
    [
        ("1.1", ("Host: localhost",), 200),
        ("1.0", (), 200),
        ("1.1", (), 400),
        ("1.1", ("Host: localhost", "Host: elsewhere"), 400),
        ("1.1", ("host: localhost", "HOST: localhost"), 400),
        ("1.0", ("Host: localhost", "Host: elsewhere"), 400),
        ("1.1", ("Host: localhost", "Transfer-Encoding: gzip, chunked"), 400),
        ("1.1", ("Host: localhost", "Transfer-Encoding: gzip", "Transfer-Encoding: chunked"), 400),
    ],
)
def test_a_request_says_once_whom_it_is_for(world: World, version: str, headers: tuple[str, ...], status: int) -> None:
    """A proxy may have sent it here for the other name, or have read another body."""
    lines = [f"GET /health HTTP/{version}", "Connection: close", *headers, "", ""]
    body = b"0\r\n\r\n" if "Transfer-Encoding" in str(headers) else b""
    answer = told(world, "\r\n".join(lines).encode() + body)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert (b'"status":"ok"' in answer) == (status == 200)


@pytest.mark.parametrize(
    "headers",
    [
        ("X-Same-Domain: 0", "X-Same-Domain: 1"),
        ("X-Same-Domain: 1", "X-Same-Domain: 0"),
        ("x-same-domain: 0, 1",),
        ("X-Same-Domain: 11",),
    ],
)
def test_a_header_that_says_two_things_says_nothing(world: World, headers: tuple[str, ...]) -> None:
    """A proxy may have looked at the other one."""
    answer = told(world, request(*headers, "Content-Length: 2", "Connection: close"))
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"CSRF_HEADER_MISSING" in answer


def test_a_header_without_end_is_refused(world: World) -> None:
    """And not kept, also when the sender waits for more."""
    start = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: "
    with contextlib.suppress(OSError):
        assert b'"status":"ok"' not in told(world, start + b"x" * 2**20)
    pieces = iter([start, *[b"x" * 2**14] * 2**14])
    with connect(world) as wire, pytest.raises(ConnectionError):
        send_all(wire, pieces)
    assert len(list(pieces)) > 2**14 - 2**11, "more than fits between us was taken: it was read"


def send_all(wire: socket.socket, pieces: Iterable[bytes], pause: float = 0.0) -> None:
    """One piece after the other."""
    for piece in pieces:
        wire.sendall(piece)
        time.sleep(pause)


@contextlib.contextmanager
def waits(seconds: float, folder: Path, database_url: str) -> Iterator[World]:
    """A server that waits so long for a request."""
    settings = Settings(data_dir=folder, database_url=database_url, argon2=CHEAP)
    with own_world(settings, request_timeout=seconds) as world:
        yield world


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory, new_database_url: Callable[[], str]) -> Iterator[World]:
    """A server that waits for half a second."""
    with waits(0.5, tmp_path_factory.mktemp("impatient") / "data", new_database_url()) as world:
        yield world


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"\r\n",
        b"G",
        b"GET /health HTTP/1.1\r\nHost: local",
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hea",
    ],
)
def test_who_never_finishes_a_request_is_hung_up_on(impatient: World, start: bytes) -> None:
    """Wherever they stop: nothing, a byte, half a header, half a body, half of a second request."""
    with connect(impatient) as wire:
        wire.sendall(start)
        begun = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            while wire.recv(65536):
                pass
        assert time.monotonic() - begun < 5, "the ten seconds of this socket are not over"


def test_who_drips_is_hung_up_on(impatient: World) -> None:
    """A byte now and then does not buy more time."""
    drops = [bytes([each]) for each in b"GET /health?" + b"x" * 1000]
    with connect(impatient) as wire, pytest.raises(ConnectionError):
        send_all(wire, drops, pause=0.05)


def test_who_does_not_read_is_hung_up_on(impatient: World) -> None:
    """The answers that pile up are dropped."""
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connect(impatient) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises(ConnectionError):
            send_all(wire, itertools.repeat(ask * 100))


def test_who_is_slow_but_in_time_is_answered(tmp_path: Path, new_database_url: Callable[[], str]) -> None:
    """In as many pieces as they like, one request after the other: each has all the time."""
    with waits(5.0, tmp_path / "data", new_database_url()) as world, connect(world) as wire:
        begun = time.monotonic()
        while time.monotonic() - begun < 5.5:
            for piece in (b"GET /health HT", b"TP/1.1\r\nHost: local", b"host\r\n\r\n"):
                wire.sendall(piece)
                time.sleep(0.1)
            assert wire.recv(65536).endswith(b'{"status":"ok"}')


@pytest.mark.parametrize("url", ["public_url", "internal_url", "cloud_url"])
@pytest.mark.parametrize("path", ["/health", "/none"])
def test_every_answer_has_the_headers_that_keep_pages_away(world: World, url: str, path: str) -> None:
    """Good and bad ones."""
    response = httpx.get(getattr(world.server, url) + path, verify=NO_TLS)
    assert {name: response.headers.get(name) for name in KEEP_AWAY} == KEEP_AWAY
    assert "server" not in response.headers
