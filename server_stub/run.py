"""Start the three applications on loopback ports in one event loop, and stop them cleanly."""

import asyncio
import contextlib
import gc
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial

import uvicorn
import uvloop
from starlette.applications import Starlette

from server_stub.app import create_cloud_app, create_internal_app, create_public_app
from server_stub.cloud.service import Cloud
from server_stub.errors import ServerError
from server_stub.iam import Iam
from server_stub.patience import patient
from server_stub.settings import Settings, check_host
from server_stub.sweep import keep_sweeping

GRACE = 3
"""How long (seconds) requests that are under way at the end may still take."""
INTERFACES = {"iam": ("public", "internal"), "cloud": ("cloud",)}
"""What each part listens on."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Where a started server is; what this process does not run is empty.

    ``settings`` are as asked for, with the ports and origins that came out.
    """

    public_url: str
    internal_url: str
    cloud_url: str
    origin: str
    """The web origin for FIDO clients, such as ``http://localhost:8080``."""
    admin_token: str = field(repr=False)
    """For everything in the administration."""
    role_tokens: Mapping[str, str] = field(repr=False)
    """For one role each: users, badges, policies, audit."""
    settings: Settings


def serve(settings: Settings, ready: Callable[[RunningServer], None] = lambda _: None) -> None:
    """Run until SIGINT or SIGTERM; must be called in the main thread.

    Args:
        settings: how to run.
        ready: called once, when all three applications answer.

    Raises:
        ServerError: if it cannot start.
    """
    if settings.workers > 1:
        from server_stub.workers import serve_in_workers  # noqa: PLC0415 - it runs what is here in processes

        serve_in_workers(settings, ready)
        return

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await _run(settings, partial(_ready, then=ready), stop)

    block_on(main)


def _ready(server: RunningServer, then: Callable[[RunningServer], None]) -> None:
    keep_what_is_there()
    then(server)


def keep_what_is_there() -> None:
    """Let the garbage collector look no more at what the start has made: it stays, and a look takes 14 ms of everybody's time."""
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def run_server(settings: Settings) -> Iterator[RunningServer]:
    """Run in a background thread; all three applications answer when this is entered, and are gone when it is left.

    Raises:
        ServerError: if it cannot start.
    """
    outcome: list[RunningServer | BaseException] = []
    known = threading.Event()
    stoppers: list[Callable[[], object]] = []

    def ready(server: RunningServer) -> None:
        outcome.append(server)
        known.set()

    async def main() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        stoppers.append(partial(loop.call_soon_threadsafe, stop.set))
        await _run(settings, ready, stop)

    def thread_main() -> None:
        try:
            block_on(main)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised again in the caller's thread
            outcome.append(error)
        finally:
            known.set()

    thread = threading.Thread(target=thread_main, name="server_stub", daemon=True)
    thread.start()
    known.wait()
    if not isinstance(outcome[0], RunningServer):
        thread.join()
        raise outcome[0]
    try:
        yield outcome[0]
    finally:
        if thread.is_alive():
            stoppers[0]()
        thread.join()
    if isinstance(outcome[-1], BaseException):
        raise outcome[-1]


class _Server(uvicorn.Server):
    """A uvicorn server that leaves the signals to us and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override] # uvicorn's is a generator, this does nothing
        return nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def block_on(main: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run ``main`` in an event loop of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def _run(settings: Settings, ready: Callable[[RunningServer], None], stop: asyncio.Event) -> None:
    check_host(settings)
    make_folder(settings)
    with contextlib.ExitStack() as stack:
        sockets = open_sockets(settings, stack)
        await run_until(stop, with_ports(settings, sockets), sockets, ready)


def open_sockets(settings: Settings, stack: contextlib.ExitStack) -> dict[str, socket.socket]:
    """Listen on every port that the settings ask for.

    Raises:
        ServerError: if one cannot be had.
    """
    names = [name for part in settings.parts for name in INTERFACES[part]]
    return {name: stack.enter_context(_listen(settings, name)) for name in names}


@contextlib.asynccontextmanager
async def services(settings: Settings) -> AsyncIterator[tuple[Iam | None, Cloud | None]]:
    """What the settings ask for, and their databases open.

    Raises:
        ServerError: if one cannot start.
    """
    async with contextlib.AsyncExitStack() as stack:
        cloud = Cloud(settings) if "cloud" in settings.parts else None
        if cloud:
            stack.callback(cloud.close)
        iam = Iam(settings) if "iam" in settings.parts else None
        if iam:
            stack.push_async_callback(iam.close)
        yield iam, cloud


async def run_until(
    stop: asyncio.Event, settings: Settings, sockets: dict[str, socket.socket], ready: Callable[[RunningServer], None]
) -> None:
    """Serve on ``sockets`` until ``stop`` is set; ``ready`` is called once all answer.

    Raises:
        ServerError: if it cannot start.
    """
    async with services(settings) as (iam, cloud):
        servers = {name: _Server(_config(app, settings)) for name, app in _apps(iam, cloud).items()}
        sweeper = asyncio.create_task(keep_sweeping(iam, cloud, settings.sweep_interval))
        tasks = [asyncio.create_task(server.serve([sockets[name]])) for name, server in servers.items()]
        try:
            for server in servers.values():
                await _first_of(server.ready, tasks)
            ready(running(settings, iam))
            await _first_of(stop, tasks)
        finally:
            sweeper.cancel()
            for server in servers.values():
                server.should_exit = True
            await asyncio.gather(*tasks)


def _apps(iam: Iam | None, cloud: Cloud | None) -> dict[str, Starlette]:
    apps: dict[str, Starlette] = {}
    if iam:
        apps |= {"public": create_public_app(iam), "internal": create_internal_app(iam)}
    if cloud:
        apps["cloud"] = create_cloud_app(cloud)
    return apps


async def _first_of(event: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    """Wait for ``event``, or for the end of one of ``tasks``, which are not meant to end before."""
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


def _config(app: Starlette, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=patient(settings.request_timeout),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=GRACE,
    )


def make_folder(settings: Settings) -> None:
    """The folder for databases and keys.

    Raises:
        ServerError: if it cannot be made.
    """
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ServerError(f"cannot make the folder {settings.data_dir}: {error.strerror}") from error


def _listen(settings: Settings, name: str) -> socket.socket:
    port: int = getattr(settings, f"{name}_port")
    if not 0 <= port <= 65535:
        raise ServerError(f"the {name} port is 0 to 65535, found {port}")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, port), family=family)
    except OSError as error:
        raise ServerError(
            f"cannot listen on {settings.host} port {port} for the {name} interface: {error.strerror}"
        ) from error


def with_ports(settings: Settings, sockets: dict[str, socket.socket]) -> Settings:
    """The settings with what came out: ports, the address of the cloud, origins."""
    ports = {f"{name}_port": sock.getsockname()[1] for name, sock in sockets.items()}
    settings = replace(settings, **ports)
    beside = _url(settings.host, settings.cloud_port) if "cloud" in sockets else ""
    return replace(
        settings,
        cloud_url=settings.cloud_url or beside,
        origins=settings.origins or (_url("localhost", settings.public_port),),
    )


def running(settings: Settings, iam: Iam | None) -> RunningServer:
    """Where it is."""
    return RunningServer(
        public_url=_url(settings.host, settings.public_port) if iam else "",
        internal_url=_url(settings.host, settings.internal_port) if iam else "",
        cloud_url=settings.cloud_url,
        origin=settings.origins[0],
        admin_token=iam.admin_token if iam else "",
        role_tokens=iam.role_tokens if iam else {},
        settings=settings,
    )


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
