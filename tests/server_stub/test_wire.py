"""What comes in below the REST: broken, slow and double-tongued HTTP, on a raw socket."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from server_stub.api.routing import HEADERS
from tests.server_stub.world import NO_TLS, World

ACCESS = "/auth/rest/public/authentication/applications/self-service/access"


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
    """The next one is answered at once."""
    assert httpx.get(f"{world.server.public_url}/health", timeout=2, verify=NO_TLS).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        ("X-Same-Domain: 1", "Content-Length: 2", "Transfer-Encoding: chunked"),
        ("X-Same-Domain: 1", "Content-Length: 2", "Content-Length: 40"),
        ("X-Same-Domain: 1", "Content-Length: -2"),
        ("X-Same-Domain: 1", "Content-Length: 2x"),
        ("X-Same-Domain: 1", "Content-Length : 2"),
    ],
)
def test_a_request_with_two_lengths_is_one_request_at_most(world: World, headers: tuple[str, ...]) -> None:
    """What one reader takes for a body and another for a second request is never answered as a request."""
    smuggled = b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = told(world, request(*headers, body=smuggled))
    assert b'"status":"ok"' not in answer
    assert answer.startswith(b"HTTP/1.1 400")


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
    """And not kept."""
    answer = told(world, b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 2**20)
    assert b'"status":"ok"' not in answer


@pytest.mark.parametrize("url", ["public_url", "internal_url", "cloud_url"])
@pytest.mark.parametrize("path", ["/health", "/none"])
def test_every_answer_has_the_headers_that_keep_pages_away(world: World, url: str, path: str) -> None:
    """Good and bad ones."""
    response = httpx.get(getattr(world.server, url) + path, verify=NO_TLS)
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    assert "server" not in response.headers
