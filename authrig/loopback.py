"""A small HTTP server on 127.0.0.1 for programs of this machine: a web page that someone has open cannot use it."""

import logging
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Final, Generic, Self, TypeVar

from authrig.errors import RigError

LOOPBACK: Final = "127.0.0.1"
OUR_HOSTS: Final = frozenset({LOOPBACK, "localhost"})
FROM_A_PAGE: Final = "expected a request from this machine, found one from a page"
_Served = TypeVar("_Served")
logger = logging.getLogger(__name__)


class LoopbackServer(Generic[_Served]):
    """Serves ``served`` through ``handler`` while in a ``with`` block; ``tcp_port`` 0 takes a free one.

    Raises:
        RigError: if the TCP port is taken, or none.
    """

    def __init__(self, served: _Served, handler: type["LoopbackHandler[_Served]"], tcp_port: int = 0) -> None:
        try:
            self._server = _Server(served, handler, tcp_port)
        except (OSError, OverflowError) as error:
            why = error.strerror if isinstance(error, OSError) else "a port is a number from 0 to 65535"
            raise RigError(f"control API: cannot listen on {LOOPBACK}:{tcp_port}: {why}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="control", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingTCPServer, Generic[_Served]):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, served: _Served, handler: type["LoopbackHandler[_Served]"], tcp_port: int) -> None:
        self.served = served
        super().__init__((LOOPBACK, tcp_port), handler)


class LoopbackHandler(BaseHTTPRequestHandler, Generic[_Served]):
    """What handlers share: who may ask, and how is answered."""

    server: _Server[_Served]
    protocol_version = "HTTP/1.1"
    server_version = "authrig"
    timeout = 30

    @property
    def is_from_here(self) -> bool:
        """Whether a program asks, and not a web page: a browser tells where its requests come from.

        The Host header guards against a name that somebody else's DNS resolves to 127.0.0.1.
        """
        host = self.headers.get("Host", "")
        asked_by_page = self.headers.get("Sec-Fetch-Site", "none") != "none" or "Origin" in self.headers
        return (host.rpartition(":")[0] or host) in OUR_HOSTS and not asked_by_page

    def answer(self, status: HTTPStatus, content_type: str, content: bytes) -> None:
        """Send an answer."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Into the log instead of onto the terminal."""
        logger.debug(format, *args)
