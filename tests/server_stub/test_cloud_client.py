import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server_stub.cloud.account import ServiceAccount
from server_stub.cloud.signing import Credentials
from server_stub.cloud_client import CloudClient
from server_stub.errors import ApiError
from server_stub.settings import Settings

ACCOUNT = ServiceAccount(Credentials("authrig", bytes(32)), Credentials("authrig", bytes(32)))


@contextlib.asynccontextmanager
async def cloud_that_says(answer: bytes) -> AsyncIterator[CloudClient]:
    """A client of a cloud that answers every call with the same bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = CloudClient(f"http://127.0.0.1:{port}", ACCOUNT, Settings(data_dir=Path(), cloud_timeout=30))
        try:
            yield client
        finally:
            await client.close()


def devices(answer: bytes) -> ApiError:
    """What the client makes of ``answer``."""

    async def ask() -> None:
        async with cloud_that_says(answer) as client:
            await client.devices(bytes(16))

    with pytest.raises(ApiError) as caught:
        asyncio.run(ask())
    return caught.value


def http(status: str, body: bytes, more: str = "") -> bytes:
    """An HTTP answer."""
    return f"HTTP/1.1 {status}\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        http("200 OK", b""),
        http("200 OK", b"<html>"),
        http("200 OK", b'{"result": "auth"}'),
        http("404 Not Found", b"<html>"),
        http("401 Unauthorized", b'{"code": "UNAUTHORIZED", "message": "x"}'),
        http("500 Internal Server Error", b'{"code": "INTERNAL_ERROR", "message": "x"}'),
        http("307 Temporary Redirect", b"", "Location: http://127.0.0.1:9/\r\n"),
    ],
)
def test_a_cloud_that_makes_no_sense_is_unavailable(answer: bytes) -> None:
    """Whatever it says, nobody is let in and nothing breaks."""
    error = devices(answer)
    assert (error.status, error.code) == (503, "AIRLOCK_2FA_UNAVAILABLE")


def test_what_the_cloud_refuses_is_handed_on() -> None:
    """With code, sentence and the end of the lock."""
    body = b'{"code": "LOCKED_OUT", "message": "too many", "locked_until": 5.5}'
    error = devices(http("423 Locked", body))
    assert (error.status, error.code, error.detail, error.lock_expiry) == (423, "LOCKED_OUT", "too many", 5.5)
