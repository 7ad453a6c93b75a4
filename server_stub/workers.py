"""Several processes that serve one address. All that they must agree on is in PostgreSQL; none remembers anything."""

import asyncio
import contextlib
import multiprocessing
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from server_stub.errors import ServerError
from server_stub.run import (
    GRACE,
    RunningServer,
    block_on,
    keep_what_is_there,
    make_folder,
    open_sockets,
    run_until,
    running,
    services,
    with_ports,
)
from server_stub.settings import Settings, check_host

READY = b"ready"


def serve_in_workers(settings: Settings, ready: Callable[[RunningServer], None]) -> None:
    """Run ``settings.workers`` processes until SIGINT or SIGTERM, or until one of them ends by itself.

    Raises:
        ServerError: if they cannot start, or one ended.
    """
    if not settings.database_url:
        raise ServerError(
            f"{settings.workers} workers need PostgreSQL: set database_url. A SQLite file has one writer at a time, "
            "so its workers would only wait for each other"
        )
    check_host(settings)
    make_folder(settings)
    with contextlib.ExitStack() as stack:
        sockets = open_sockets(settings, stack)
        settings = with_ports(settings, sockets)
        server = _prepare(settings)
        stop, stopped = multiprocessing.Pipe(duplex=False)
        with _told_to_stop(stopped), _started(settings, sockets) as workers:
            _wait_for(workers, [lines for _, lines in workers])
            ready(server)
            woken = wait([stop, *(process.sentinel for process, _ in workers)])
            if stop not in woken:
                ended = next(process for process, _ in workers if process.sentinel in woken)
                ended.join()
                raise ServerError(f"a worker ended by itself, with exit code {ended.exitcode}")


def _prepare(settings: Settings) -> RunningServer:
    """Make the keys and the tables once, before anybody needs them."""

    async def main() -> RunningServer:
        async with services(settings) as (iam, _):
            return running(settings, iam)

    return asyncio.run(main())


@contextmanager
def _started(settings: Settings, sockets: dict[str, socket.socket]) -> Iterator[list[tuple[BaseProcess, Connection]]]:
    context = multiprocessing.get_context("spawn")
    workers: list[tuple[BaseProcess, Connection]] = []
    try:
        for number in range(settings.workers):
            ours, theirs = context.Pipe()
            process: BaseProcess = context.Process(
                target=_work, args=(settings, sockets, theirs), name=f"authrig worker {number}"
            )
            process.start()
            theirs.close()
            workers.append((process, ours))
        yield workers
    finally:
        for _, line in workers:
            line.close()  # which tells them to stop
        for started, _ in workers:
            started.join(2 * GRACE)
            if started.is_alive():
                started.kill()
                started.join()


def _wait_for(workers: list[tuple[BaseProcess, Connection]], lines: list[Connection]) -> None:
    for (process, _), line in zip(workers, lines, strict=True):
        try:
            line.recv_bytes()
        except EOFError:
            process.join()
            raise ServerError(f"a worker could not start, exit code {process.exitcode}") from None


@contextmanager
def _told_to_stop(stopped: Connection) -> Iterator[None]:
    """While this holds, SIGINT and SIGTERM are a byte on a pipe."""

    def stop(*_: object) -> None:
        stopped.send_bytes(b"stop")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _work(settings: Settings, sockets: dict[str, socket.socket], line: Connection) -> None:
    """One worker: until the line to the parent is closed, by it or by its death."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all of us; the parent decides

    def ready(_: RunningServer) -> None:
        keep_what_is_there()
        line.send_bytes(READY)

    async def main() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_reader(line.fileno(), stop.set)
        await run_until(stop, settings, sockets, ready)

    block_on(main)
