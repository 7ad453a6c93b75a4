"""Drives ports over HTTP, with the calls of the rig that Yubico's device tests know.

``GET /`` describes the ports as JSON; ``GET /usbN/touch/on|off`` and ``GET /usbN/power/on|off`` act on port N, counted
from 1. It listens on loopback only, and a web page that someone has open cannot use it.
"""

import json
import logging
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from types import TracebackType
from typing import Self

from authrig.errors import RigError
from authrig.keys.port import Port

LOOPBACK = "127.0.0.1"

logger = logging.getLogger(__name__)

_ACTION = re.compile(r"/usb([1-9][0-9]{0,3})/(touch|power)/(on|off)")
_ACTIONS: Mapping[tuple[str, str], Callable[[Port], object]] = {
    ("touch", "on"): Port.touch_on,
    ("touch", "off"): Port.touch_off,
    ("power", "on"): Port.power_on,
    ("power", "off"): Port.power_off,
}
_OUR_HOSTS = frozenset({"127.0.0.1", "localhost"})


class ControlServer:
    """Serves ``ports`` (by their numbers) on 127.0.0.1 while in a ``with`` block; ``tcp_port`` 0 takes a free one.

    Raises:
        RigError: if the TCP port is taken.
    """

    def __init__(self, ports: Mapping[int, Port], tcp_port: int = 0) -> None:
        try:
            self._server = _Server(ports, tcp_port)
        except OSError as error:
            raise RigError(f"control API: cannot listen on {LOOPBACK}:{tcp_port}: {error.strerror}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="control", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, ports: Mapping[int, Port], tcp_port: int) -> None:
        self.ports = ports
        super().__init__((LOOPBACK, tcp_port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "authrig"
    timeout = 30

    def do_GET(self) -> None:
        if not self._from_here():
            self._answer(HTTPStatus.FORBIDDEN, {"error": "expected a request from this machine, found one from a page"})
        elif self.path == "/":
            ports = [{"port": number, **asdict(port.status)} for number, port in sorted(self.server.ports.items())]
            self._answer(HTTPStatus.OK, {"ports": ports})
        elif (action := _ACTION.fullmatch(self.path)) is None:
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"expected /usbN/touch|power/on|off, found {self.path}"})
        elif (port := self.server.ports.get(int(action[1]))) is None:
            known = ", ".join(f"usb{number}" for number in sorted(self.server.ports))
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"expected one of {known}, found usb{action[1]}"})
        else:
            self._act(int(action[1]), port, _ACTIONS[action[2], action[3]])

    def _act(self, number: int, port: Port, action: Callable[[Port], object]) -> None:
        try:
            action(port)
        except RigError as error:
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": str(error)})
        else:
            self._answer(HTTPStatus.OK, {"port": number, **asdict(port.status)})

    def _from_here(self) -> bool:
        """Whether a program asks, and not a web page: a browser tells where its requests come from.

        The Host header guards against a name that somebody else's DNS resolves to 127.0.0.1.
        """
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        asked_by_page = self.headers.get("Sec-Fetch-Site", "none") != "none" or "Origin" in self.headers
        return host in _OUR_HOSTS and not asked_by_page

    def _answer(self, status: HTTPStatus, body: dict[str, object]) -> None:
        content = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Into the log instead of onto the terminal."""
        logger.debug(format, *args)
