import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from server_stub import cloud_line
from server_stub.cloud_line import CloudLine, LineError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
Answerer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def line_to(answer: Answerer, patience: float = 5.0) -> AsyncIterator[CloudLine]:
    """A line to a server of raw bytes."""

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(closing, "127.0.0.1", 0)
    line = CloudLine(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", patience)
    try:
        yield line
    finally:
        await line.close()
        server.close()


def saying(*answers: bytes, connections: list[int]) -> Answerer:
    """One connection answers each request with the next of ``answers``, then hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        for each in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(each)
            await writer.drain()

    return answer


def test_one_connection_serves_many_calls() -> None:
    """Also when an answer comes in pieces, or chunked."""
    chunked = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    connections: list[int] = []

    async def main() -> list[tuple[int, bytes]]:
        async with line_to(saying(OK, chunked, OK, connections=connections)) as line:
            return [await line.send("POST", "/x", {}, b"") for _ in range(3)]

    assert asyncio.run(main()) == [(200, b"{}"), (201, b"ab"), (200, b"{}")]
    assert len(connections) == 1


def test_a_connection_that_was_closed_while_idle_is_not_used_again() -> None:
    """The next call makes another one."""
    connections: list[int] = []

    async def main() -> None:
        async with line_to(saying(OK, connections=connections)) as line:
            for _ in range(3):
                assert await line.send("POST", "/x", {}, b"") == (200, b"{}")
                for connection in list(line._open):
                    await connection.gone.wait()

    asyncio.run(main())
    assert len(connections) == 3


def test_a_connection_that_was_idle_for_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other side may be about to hang up."""
    monkeypatch.setattr(cloud_line, "FRESH", 0.0)
    connections: list[int] = []

    async def main() -> None:
        async with line_to(saying(OK, OK, connections=connections)) as line:
            for _ in range(2):
                await line.send("POST", "/x", {}, b"")

    asyncio.run(main())
    assert len(connections) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ],
)
def test_an_answer_that_breaks_off_or_is_none_is_an_error_at_once(answer: bytes) -> None:
    """And nothing is sent a second time: the first may have had an effect."""
    connections: list[int] = []

    async def main() -> None:
        async with line_to(saying(answer, connections=connections)) as line:
            await line.send("POST", "/x", {}, b"")

    with pytest.raises(LineError, match="POST /x: "):
        asyncio.run(main())
    assert len(connections) == 1


def test_who_does_not_answer_in_time_is_an_error() -> None:
    """The caller waits as long as the settings say."""

    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async def main() -> None:
        async with line_to(silent, patience=0.05) as line:
            await line.send("POST", "/x", {}, b"")

    with pytest.raises(LineError, match="TimeoutError"):
        asyncio.run(main())


def test_nobody_there_is_an_error() -> None:
    """No port, no name."""

    async def main(url: str) -> None:
        await CloudLine(url, 1.0).send("GET", "/", {}, b"")

    for url in ("http://127.0.0.1:1", "http://no.such.host.invalid"):
        with pytest.raises(LineError):
            asyncio.run(main(url))
