"""The end of the server's patience, with requests and answers that never end, and with requests that say two things.

What never ends would hold its connection for ever; what a proxy in front may have read in another way is refused.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 64 * 1024
"""How many bytes a request's line and headers may have, beside what comes in one piece."""


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's own, with an end to its patience; it has one for idle connections only."""

    patience = 0.0
    """In seconds; ``patient`` makes a class with another one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._whole = False
        """Whether the last request has come in to its end."""
        self._in_head = False
        self._head = 0

    def connection_made(self, transport: Any) -> None:
        """From now on the first request is awaited."""
        super().connection_made(transport)
        self._reading = self._later(self._hang_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        super().connection_lost(exc)
        self._stop_reading()
        self._stop_writing()

    def data_received(self, data: bytes) -> None:
        """The request that this belongs to has to be whole in time."""
        self._head = self._head + len(data) if self._in_head else 0
        if self._head > LONGEST_HEAD:
            self.send_400_response("The request's headers are too long.")
            return
        self._whole = False
        super().data_received(data)
        if self._whole:
            self._stop_reading()
        elif self._reading is None:
            self._reading = self._later(self._hang_up)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._whole, self._in_head = False, True

    def on_headers_complete(self) -> None:
        """The body follows.

        Raises:
            ValueError: which the parser makes 400, if the request says not exactly once whom it is for (RFC 9112 §3.2), or
                that its body has been through more than chunks.
        """
        self._in_head = False
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() != "1.0"):
            raise ValueError(f"expected one Host, found {hosts}")
        if any(name == b"transfer-encoding" and value.lower() != b"chunked" for name, value in self.headers):
            raise ValueError("expected no transfer coding but chunked")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        super().on_message_complete()
        self._whole = True

    def pause_writing(self) -> None:
        """The client reads no more for now."""
        super().pause_writing()
        if self._writing is None:
            self._writing = self._later(self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self._stop_writing()

    def timeout_keep_alive_handler(self) -> None:
        """The connection is idle: hang up, also on who does not read what is left."""
        super().timeout_keep_alive_handler()
        if self._writing is None:
            self._writing = self._later(self.transport.abort)

    def _hang_up(self) -> None:
        """Politely at first: what is being answered may still be read."""
        self.transport.close()
        if self._writing is None:
            self._writing = self._later(self.transport.abort)

    def _later(self, then: Callable[[], None]) -> asyncio.TimerHandle:
        return self.loop.call_later(self.patience, then)

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading.cancel()
            self._reading = None

    def _stop_writing(self) -> None:
        if self._writing:
            self._writing.cancel()
            self._writing = None


def patient(seconds: float) -> type[PatientProtocol]:
    """The protocol of a server that waits ``seconds``."""
    return type("PatientProtocol", (PatientProtocol,), {"patience": seconds})
