"""A running token's console over HTTP, for whoever has no serial library.

``POST /console`` with one request (docs/reference/token-console.md) answers as the line would; ``GET /screen`` and
``GET /screen.png`` show the screen. It listens on loopback only, and a web page that someone has open cannot use it.
"""

import base64
import json
from http import HTTPStatus

from authrig.loopback import FROM_A_PAGE, LoopbackHandler, LoopbackServer
from authrig.tokens.lines import Using
from emulators.hwtoken.console import MAX_LINE_BYTES


class ControlServer(LoopbackServer[Using]):
    """Serves the token on 127.0.0.1 while in a ``with`` block; ``tcp_port`` 0 takes a free one.

    Raises:
        RigError: if the port is taken, or none.
    """

    def __init__(self, using: Using, tcp_port: int = 0) -> None:
        super().__init__(using, _Handler, tcp_port)


class _Handler(LoopbackHandler[Using]):
    def do_GET(self) -> None:  # noqa: N802 - the name is http.server's
        if not self.is_from_here:
            self._refuse(HTTPStatus.FORBIDDEN, FROM_A_PAGE)
        elif self.path == "/screen":
            self.answer(HTTPStatus.OK, "application/json", self._ask(b'{"cmd":"screen"}'))
        elif self.path == "/screen.png":
            answer = json.loads(self._ask(b'{"cmd":"png","whole_device":true}'))
            if answer["ok"]:
                self.answer(HTTPStatus.OK, "image/png", base64.b64decode(answer["png"]))
            else:
                self._refuse(HTTPStatus.CONFLICT, answer["message"])
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "expected /screen, /screen.png, or a POST to /console")

    def do_POST(self) -> None:  # noqa: N802 - as above
        length = self.headers.get("Content-Length", "")
        if not self.is_from_here:
            self._refuse(HTTPStatus.FORBIDDEN, FROM_A_PAGE)
        elif self.path != "/console":
            self._refuse(HTTPStatus.NOT_FOUND, f"expected a POST to /console, found {self.path}")
        elif not length.isascii() or not length.isdigit() or len(length) > 9 or int(length) > MAX_LINE_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected a body of up to {MAX_LINE_BYTES} bytes")
        else:
            self.answer(HTTPStatus.OK, "application/json", self._ask(self.rfile.read(int(length))))

    def _ask(self, line: bytes) -> bytes:
        with self.server.served() as core:
            core.poll()
            return core.ask(line) or b'{"ok":false,"error":"bad-json","message":"expected a request, found nothing"}\n'

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        # What was not read of the body would be taken for the next request.
        self.close_connection = True
        self.answer(status, "application/json", json.dumps({"error": why}).encode() + b"\n")
