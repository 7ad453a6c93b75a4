"""Pictures over HTTP as ``multipart/x-mixed-replace``, the format of IP cameras: a server of them, and their parts."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

import cv2

from emulators.camera_scanner.frames import require_image

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image

BOUNDARY = "authrig-frame"
LOOPBACK = "127.0.0.1"
_WAIT_SECONDS = 1.0
_STALLED_SECONDS = 10.0


class MjpegServer:
    """Serves the picture that was shown last, and each new one as it is shown, at ``url``.

    ``/`` is a page, if one was given, ``/stream`` the pictures, ``/frame.jpg`` the last one alone. It listens on
    loopback unless told otherwise, and answers only requests whose Host header names an address or ``localhost``, so
    that no page of another site can look through it.

    Args:
        port: 0 takes a free one.
        host: the address to listen on.
        page: HTML for people, shown at ``/``.
        quality: of the JPEG pictures, 1 to 100.

    Raises:
        OSError: if the address is not this machine's, or the port is taken.
    """

    def __init__(self, port: int = 0, host: str = LOOPBACK, *, page: str = "", quality: int = 85) -> None:
        self._quality = quality
        self._news = threading.Condition()
        self._number = 0
        self._picture: bytes | None = None
        self._closed = False
        self.page = page
        self._server = _Server((host, port), self)
        self.url = f"http://{host}:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, name="MJPEG server", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, image: Image) -> None:
        """Let everyone who watches see ``image`` next; who is slow misses some.

        Raises:
            ImageError: if it is not a picture.
        """
        _, packed = cv2.imencode(".jpg", require_image(image), [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        with self._news:
            self._number += 1
            self._picture = packed.tobytes()
            self._news.notify_all()

    def wait(self, after: int) -> tuple[int, bytes] | None:
        """The number and the JPEG of the first picture with a number above ``after``; None when the server closes."""
        with self._news:
            while not self._closed and (self._picture is None or self._number <= after):
                self._news.wait(_WAIT_SECONDS)
            return None if self._closed or self._picture is None else (self._number, self._picture)

    def close(self) -> None:
        """Hang up on all who watch. Closing twice is allowed."""
        if self._closed:
            return
        with self._news:
            self._closed = True
            self._news.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    """Hands its pictures to its handlers."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], pictures: MjpegServer) -> None:
        self.pictures = pictures
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    """Answers one host."""

    timeout = _STALLED_SECONDS
    server_version = "authrig"
    sys_version = ""

    @property
    def _pictures(self) -> MjpegServer:
        assert isinstance(self.server, _Server)
        return self.server.pictures

    def do_GET(self) -> None:
        """A page, one picture, or all that come."""
        if not _is_ours(self.headers.get("Host", "")):
            self.send_error(421)
        elif self.path == "/" and self._pictures.page:
            self._send(self._pictures.page.encode(), "text/html; charset=utf-8")
        elif self.path == "/frame.jpg":
            found = self._pictures.wait(0)
            if found is not None:
                self._send(found[1], "image/jpeg")
        elif self.path == "/stream":
            self._stream()
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
        """Nothing: a library does not print."""

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self._headers(kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _headers(self, kind: str) -> None:
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'")

    def _stream(self) -> None:
        self.send_response(200)
        self._headers(f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self.end_headers()
        number = 0
        try:
            while (found := self._pictures.wait(number)) is not None:
                number, picture = found
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                self.wfile.write(head.encode() + picture + b"\r\n")
        except OSError:  # whoever watched has left, or takes nothing any more
            self.close_connection = True


def _is_ours(host: str) -> bool:
    """Whether a Host header names an address or localhost: a name of another site may have been pointed at us."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return name == "localhost" or name.startswith("[") or name.replace(".", "").isdigit()
