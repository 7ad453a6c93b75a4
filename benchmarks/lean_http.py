"""A client that costs next to nothing, and servers in processes of their own: so that what is timed is the server."""

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

IDLE = 2.0
"""After so many seconds the server may be about to hang up: uvicorn does after five."""
_ECHO = """
import socket, uvicorn

async def echo(scope, receive, send):
    message = await receive()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(message["body"]))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": message["body"]})

listener = socket.create_server(("127.0.0.1", 0))
print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
config = uvicorn.Config(
    echo, http="httptools", loop="uvloop", lifespan="off", log_config=None, access_log=False, server_header=False, ws="none"
)
uvicorn.Server(config).run(sockets=[listener])
"""
_SERVER = """
import json, sys
from pathlib import Path
from server_stub.run import serve
from server_stub.settings import Argon2Cost, Settings

def tell(server):
    print(json.dumps([server.public_url, server.internal_url, server.admin_token, server.origin]), flush=True)

if __name__ == "__main__":
    options = json.loads(sys.argv[2])
    cheap = Argon2Cost(64, 1) if options.pop("cheap_passwords", False) else Argon2Cost()
    serve(Settings(data_dir=Path(sys.argv[1]), argon2=cheap, address_failure_limit=10**6, **options), tell)
"""


@dataclass(frozen=True)
class Served:
    """A server in a process of its own."""

    public: str
    internal: str
    admin_token: str
    origin: str
    pid: int


class Line:
    """One HTTP/1.1 connection that stays; it keeps the session's cookie as a browser would."""

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        assert where.hostname is not None
        assert where.port is not None
        self._address = (where.hostname, where.port)
        self._host = where.netloc
        self.cookie = ""
        self.waited = 0.0
        """How long (seconds) all answers took."""
        self._connect()

    def _connect(self) -> None:
        self._socket = socket.create_connection(self._address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._used = time.monotonic()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def post(self, path: str, body: bytes, headers: str = "") -> tuple[int, bytes]:
        """POST ``body``: status and body of the answer."""
        if time.monotonic() - self._used > IDLE:
            self.close()
            self._connect()
        request = self.request(path, body, headers)
        begun = time.perf_counter()
        self._socket.sendall(request)
        answer = self.answer()
        self.waited += time.perf_counter() - begun
        self._used = time.monotonic()
        return answer

    def request(self, path: str, body: bytes, headers: str = "") -> bytes:
        """The bytes of a POST."""
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        return (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nX-Same-Domain: 1\r\nContent-Type: application/json\r\n"
            f"{cookie}{headers}Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    def answer(self) -> tuple[int, bytes]:
        """Wait for an answer."""
        data = bytearray()
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._receive()
        head = bytes(data[:end])
        length = self.length_in(head)
        while len(data) < end + 4 + length:
            data += self._receive()
        return int(head[9:12]), bytes(data[end + 4 :])

    def length_in(self, head: bytes) -> int:
        """How long the body is that follows ``head``, whose cookie is kept."""
        lower = head.lower()
        if b"set-cookie:" in lower:
            self.cookie = head[lower.index(b"set-cookie:") + 11 :].split(b";", 1)[0].decode().strip()
        return int(lower.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])

    def _receive(self) -> bytes:
        chunk = self._socket.recv(65536)
        if not chunk:
            raise ConnectionError("the server hung up")
        return chunk


@contextmanager
def echo_process() -> Iterator[str]:
    """The URL of uvicorn with nothing behind it, set as the real server is."""
    with _running([sys.executable, "-c", _ECHO]) as (line, _):
        yield line


@contextmanager
def server_process(**options: Any) -> Iterator[Served]:
    """The real server on fresh databases; ``options`` are settings."""
    with tempfile.TemporaryDirectory(prefix="authrig-bench-") as folder:
        command = [sys.executable, "-c", _SERVER, folder, json.dumps(options)]
        with _running(command) as (line, pid):
            public, internal, token, origin = json.loads(line)
            yield Served(public, internal, token, origin, pid)


@contextmanager
def _running(command: list[str]) -> Iterator[tuple[str, int]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.terminate()
