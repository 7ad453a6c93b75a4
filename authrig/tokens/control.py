"""A running token's console over HTTP, for whoever has no serial library.

``POST /console`` with one request (docs/reference/token-console.md) answers as the line would; ``GET /screen`` and
``GET /screen.png`` show the screen. It listens on loopback only, and a web page that someone has open cannot use it.
"""

import base64
import json
import logging
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Self

from authrig.errors import RigError
from authrig.tokens.lines import Using
from emulators.hwtoken.console import MAX_LINE_BYTES

LOOPBACK = "127.0.0.1"
_OUR_HOSTS = frozenset({LOOPBACK, "localhost"})
logger = logging.getLogger(__name__)


class ControlServer:
    """Serves the token on 127.0.0.1 while in a ``with`` block; ``tcp_port`` 0 takes a free one.

    Raises:
        RigError: if the port is taken, or none.
    """

    def __init__(self, using: Using, tcp_port: int = 0) -> None:
        try:
            self._server = _Server(using, tcp_port)
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


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, using: Using, tcp_port: int) -> None:
        self.using = using
        super().__init__((LOOPBACK, tcp_port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "authrig"
    timeout = 30

    def do_GET(self) -> None:
        if not self._from_here():
            self._refuse(HTTPStatus.FORBIDDEN, "expected a request from this machine, found one from a page")
        elif self.path == "/screen":
            self._answer(HTTPStatus.OK, "application/json", self._ask(b'{"cmd":"screen"}'))
        elif self.path == "/screen.png":
            answer = json.loads(self._ask(b'{"cmd":"png","whole_device":true}'))
            if answer["ok"]:
                self._answer(HTTPStatus.OK, "image/png", base64.b64decode(answer["png"]))
            else:
                self._refuse(HTTPStatus.CONFLICT, answer["message"])
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "expected /screen, /screen.png, or a POST to /console")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not self._from_here():
            self._refuse(HTTPStatus.FORBIDDEN, "expected a request from this machine, found one from a page")
        elif self.path != "/console":
            self._refuse(HTTPStatus.NOT_FOUND, f"expected a POST to /console, found {self.path}")
        elif not length.isascii() or not length.isdigit() or len(length) > 9 or int(length) > MAX_LINE_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected a body of up to {MAX_LINE_BYTES} bytes")
        else:
            self._answer(HTTPStatus.OK, "application/json", self._ask(self.rfile.read(int(length))))

    def _ask(self, line: bytes) -> bytes:
        with self.server.using() as core:
            core.poll()
            return core.ask(line) or b'{"ok":false,"error":"bad-json","message":"expected a request, found nothing"}\n'

    def _from_here(self) -> bool:
        """Whether a program asks, and not a web page, whatever name it knows this machine by."""
        host = self.headers.get("Host", "")
        asked_by_page = self.headers.get("Sec-Fetch-Site", "none") != "none" or "Origin" in self.headers
        return (host.rpartition(":")[0] or host) in _OUR_HOSTS and not asked_by_page

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        # What was not read of the body would be taken for the next request.
        self.close_connection = True
        self._answer(status, "application/json", json.dumps({"error": why}).encode() + b"\n")

    def _answer(self, status: HTTPStatus, content_type: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Into the log instead of onto the terminal."""
        logger.debug(format, *args)
