"""HTTP/1.1 to one host over connections that stay: as little as the IAM needs to ask its cloud, on the parser of the server."""

import asyncio
import ssl
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import httptools

IDLE = 8
"""How many connections are kept for the next calls."""
FRESH = 2.0
"""How long (seconds) an idle connection is used again: well below the time after which a server hangs up."""
MAX_ANSWER = 64 * 2**20


class LineError(Exception):
    """No answer that can be understood."""


class CloudLine:
    """POSTs and GETs to the server at ``url``.

    Each call takes a connection that nobody uses, or a new one. One that the other side closed while it was idle is
    noticed before it is used; a call that breaks off is not sent again: it may have had an effect.
    """

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self._name, self._base = parts.hostname or "", parts.path.rstrip("/")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._timeout = timeout
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()

    async def close(self) -> None:
        """Close all connections, and wait until they are."""
        for connection in list(self._open):
            connection.close()
            await connection.gone.wait()

    async def send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer.

        Raises:
            LineError: if there is none, or none in time.
        """
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (
            f"{method} {self._base}{path} HTTP/1.1\r\nHost: {self.host}\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
        )
        try:
            async with asyncio.timeout(self._timeout):
                connection = await self._connection()
                try:
                    answer = await connection.exchange(head.encode("latin-1") + body)
                except BaseException:
                    connection.close()
                    raise
        except (OSError, TimeoutError, httptools.HttpParserError, UnicodeEncodeError) as error:
            raise LineError(f"{method} {path}: {type(error).__name__}") from error
        if connection.reusable and len(self._idle) < IDLE:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    async def _connection(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and connection.used_at > loop.time() - FRESH:
                return connection
            connection.close()
        _, made = await loop.create_connection(partial(_Connection, self._open), self._name, self._port, ssl=self._tls)
        return made


class _Connection(asyncio.Protocol):
    """One connection: one exchange at a time."""

    def __init__(self, all_open: "set[_Connection]") -> None:
        self.gone = asyncio.Event()
        self._all_open = all_open
        self.reusable = True
        self.used_at = 0.0
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._body = bytearray()
        self._parser = httptools.HttpResponseParser(self)

    async def exchange(self, request: bytes) -> tuple[int, bytes]:
        """Send, and wait for the whole answer."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._body.clear()
        self._transport.write(request)
        answer = await self._answer
        self.used_at = asyncio.get_running_loop().time()
        return answer

    def close(self) -> None:
        """Hang up."""
        self.reusable = False
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        self._all_open.add(self)
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has the methods and not the class

    def data_received(self, data: bytes) -> None:
        """Part of an answer; what comes unasked ends the connection."""
        if self._answer is None or self._answer.done():
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side is gone."""
        self._all_open.discard(self)
        self.gone.set()
        self._fail(exc or ConnectionResetError("closed in the middle of an answer"))

    def on_body(self, data: bytes) -> None:
        """The parser's: part of the body."""
        self._body += data
        if len(self._body) > MAX_ANSWER:
            self._fail(ConnectionError("the answer does not end"))

    def on_message_complete(self) -> None:
        """The parser's: the answer is whole."""
        self.reusable = self.reusable and self._parser.should_keep_alive()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((self._parser.get_status_code(), bytes(self._body)))

    def _fail(self, error: BaseException) -> None:
        self.reusable = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
