"""What is held before the desk's cameras, by HTTP: ``PUT /webcam`` and ``PUT /token`` with a PNG, ``DELETE`` takes it away.

To the rig it is a pair of e-paper panels.
"""

from __future__ import annotations

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

from authrig.errors import RigError
from authrig.pictures import picture_from_png

if TYPE_CHECKING:
    from collections.abc import Callable

    from emulators.camera_scanner.frames import Image

PORT = 8472
_MOST_BYTES = 1 << 22


class Panels:
    """Two panels; use it as a context manager.

    Args:
        on_change: called before a request is answered, so that nobody sees any longer what was there before.
        port: on loopback.
    """

    def __init__(self, on_change: Callable[[], object], port: int = PORT) -> None:
        self._shown: dict[str, Image | None] = {"/webcam": None, "/token": None}
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.shown, self._server.on_change = self._shown, on_change
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def before_webcam(self) -> Image | None:
        """What somebody holds up to the webcam; None: it looks at the token."""
        return self._shown["/webcam"]

    @property
    def before_token(self) -> Image | None:
        """What the token is held before."""
        return self._shown["/token"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    shown: dict[str, Image | None]
    on_change: Callable[[], object]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 60

    def do_PUT(self) -> None:
        """Show a picture."""
        length = int(self.headers.get("Content-Length", "0"))
        try:
            picture = picture_from_png(self.rfile.read(min(length, _MOST_BYTES)))
        except RigError as error:
            self.send_error(HTTPStatus.BAD_REQUEST, str(error))
            return
        self._show(picture)

    def do_DELETE(self) -> None:
        """Show nothing."""
        self._show(None)

    def _show(self, picture: Image | None) -> None:
        if self.path not in self.server.shown:
            self.send_error(HTTPStatus.NOT_FOUND, f"expected /webcam or /token, found {self.path}")
            return
        self.server.shown[self.path] = picture
        self.server.on_change()
        self.send_response(HTTPStatus.NO_CONTENT)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Keep quiet."""
