"""A page in a browser that shows the picture of the moment: the screen that an attached device looks at."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

from authrig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulators.camera_scanner.frames import Image

LOOPBACK = "127.0.0.1"
_WAIT_SECONDS = 20.0
"""After which a browser that waits for the next picture is told to ask again."""
_PAGE = b"""<!doctype html><meta charset="utf-8"><title>Authrig: the picture of the moment</title>
<link rel="stylesheet" href="page.css"><img id="picture" alt="The picture that a device is to look at" src="picture.png">
<script type="module" src="page.js"></script>
"""
_STYLE = b"""html, body { margin: 0; height: 100%; background: white }
img { width: 100%; height: 100%; object-fit: contain; image-rendering: pixelated }
"""
_SCRIPT = b"""const picture = document.getElementById("picture");
let number = 0;
for (;;) {
  try {
    const answer = await fetch(`number?after=${number}`);
    const next = Number(await answer.text());
    if (next !== number) {
      picture.src = `picture.png?number=${next}`;
      await picture.decode();
      number = next;
      await fetch(`shown?number=${number}`, {method: "POST"});
    }
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
"""
_FILES = {"/": ("text/html", _PAGE), "/page.css": ("text/css", _STYLE), "/page.js": ("text/javascript", _SCRIPT)}
_SHOWN_SECONDS = 10.0


class PicturePage:
    """Serves the page on 127.0.0.1 at ``port`` from the start until ``close``; 0 takes a free port.

    Raises:
        RigError: if the port is taken.
    """

    def __init__(self, port: int) -> None:
        from emulators.camera_scanner.outline import encode_png  # noqa: PLC0415 - slow to import

        self._encode = encode_png
        self._changed = threading.Condition()
        self._number, self._shown = 0, 0
        self._png = b""
        try:
            self._server = _Server(self, port)
        except OSError as error:
            raise RigError(f"the page with pictures cannot listen on {LOOPBACK}:{port}: {error.strerror}") from error
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}/"
        """What to open in a browser."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="pictures", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        with self._changed:
            self._number += 1
            self._changed.notify_all()

    @contextmanager
    def showing(self, picture: Image) -> Iterator[None]:
        """Within it ``picture`` is on the page, and then nothing is.

        Raises:
            RigError: if no browser has shown it in the end.
        """
        self._show(self._encode(picture))
        try:
            yield
        finally:
            self._show(b"", wait=False)

    def picture(self) -> bytes:
        """The PNG of the moment; empty where there is none."""
        with self._changed:
            return self._png

    def next_number(self, after: int) -> int:
        """The number of the picture of the moment, once it is another than ``after``, or patience is at its end."""
        with self._changed:
            self._changed.wait_for(lambda: self._number != after, _WAIT_SECONDS)
            return self._number

    def was_shown(self, number: int) -> None:
        """A browser has drawn the picture with that number."""
        with self._changed:
            self._shown = max(self._shown, number)
            self._changed.notify_all()

    def _show(self, png: bytes, *, wait: bool = True) -> None:
        with self._changed:
            self._png = png
            self._number += 1
            self._changed.notify_all()
            wanted = self._number
            if wait and not self._changed.wait_for(lambda: self._shown >= wanted, _SHOWN_SECONDS):
                raise RigError(f"no browser shows the picture: open {self.url} on the screen that the device looks at")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, page: PicturePage, port: int) -> None:
        self.page = page
        super().__init__((LOOPBACK, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """The page, its files, the picture, or the number of the next one."""
        path, _, query = self.path.partition("?")
        page = self.server.page
        if path in _FILES:
            self._answer(*_FILES[path])
        elif path == "/picture.png" and (png := page.picture()):
            self._answer("image/png", png)
        elif path == "/number":
            self._answer("text/plain", str(page.next_number(_number(query))).encode())
        else:
            self._answer("text/plain", b"no such picture\n", HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """A browser says which picture it has drawn."""
        path, _, query = self.path.partition("?")
        # Other pages that are open in the browser must not speak for this one.
        if path == "/shown" and self.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin":
            self.server.page.was_shown(_number(query))
            self._answer("text/plain", b"")
        else:
            self._answer("text/plain", b"no\n", HTTPStatus.NOT_FOUND)

    def log_message(self, *_: object) -> None:
        """Nothing: this is not a server that anyone reads the log of."""

    def _answer(self, kind: str, body: bytes, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'self'")
        self.end_headers()
        self.wfile.write(body)


def _number(query: str) -> int:
    """The number in ``name=number``; 0 where there is none."""
    _, _, value = query.partition("=")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else 0
