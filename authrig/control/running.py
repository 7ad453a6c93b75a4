"""The control API on a port of this machine, and ``authrig rig up``."""

from __future__ import annotations

import json
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Self

import uvicorn

from authrig.control.api import ControlApi
from authrig.control.guard import Guard
from authrig.control.open_bench import OpenBench
from authrig.errors import RigError

if TYPE_CHECKING:
    from authrig.rig_file.entries import RigFile

LOOPBACK = "127.0.0.1"
_GRACE_SECONDS = 2


class ControlServer:
    """Serves ``bench`` on 127.0.0.1 while in a ``with`` block; ``port`` 0 takes a free one.

    Raises:
        RigError: if the port is taken.
    """

    def __init__(self, bench: OpenBench, port: int = 0) -> None:
        self._bench = bench
        self.guard = Guard()
        """Its secrets."""
        if not 0 <= port <= 0xFFFF:
            raise RigError(f"the control API: expected a port of 0 to 65535, found {port}")
        try:
            self._socket = socket.create_server((LOOPBACK, port))
        except OSError as error:
            raise RigError(f"the control API cannot listen on {LOOPBACK}:{port}: {error.strerror}") from error
        self.port: int = self._socket.getsockname()[1]
        """Where it listens."""
        self._server = _Server(
            uvicorn.Config(
                ControlApi(bench, self.guard, self.port).app,
                http="httptools",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="none",
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="control", daemon=True)

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def login_link(self) -> str:
        """Opens the page, once. What stands behind the # goes over no wire and into no log."""
        return f"{self.url}/#{self.guard.login}"

    @property
    def controller_url(self) -> str:
        """What a client of Yubico's rig takes for the address of its controller."""
        return f"{self.url}/controller/{self.guard.controller}"

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.ready.wait(0.1):
            if not self._thread.is_alive():
                raise RigError(f"the control API on {self.url} ended before it began; the log says why")
        return self

    def __exit__(self, *_: object) -> None:
        # Streams end with the last that happens, and would hold the server up otherwise.
        self._bench.happenings.close()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def rig_up(rig_file: RigFile, port: int, *, automatic: bool, as_json: bool) -> None:
    """Have the bench up until SIGINT or SIGTERM.

    Raises:
        RigError: if the port is taken.
    """
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with OpenBench(rig_file, automatic=automatic) as bench, ControlServer(bench, port) as server:
        (_tell_programs if as_json else _tell_people)(bench, server)
        ended.wait()
        # Putting a device away may have to wait for a person; who interrupts once more does not want to.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _tell_programs(bench: OpenBench, server: ControlServer) -> None:
    """One line of JSON."""
    document = {
        "url": server.url,
        "token": server.guard.token,
        "page": server.login_link,
        "controller": server.controller_url,
        "devices": {name: device.state() for name, device in bench.devices.items()},
    }
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def _tell_people(bench: OpenBench, server: ControlServer) -> None:
    """Where everything is. The secrets are for whoever reads this terminal."""
    width = max(map(len, bench.devices))
    for name, device in bench.devices.items():
        state = device.state()
        where = state.get("trouble") or state.get("address") or state.get("url") or state.get("serial") or ""
        end = "emulated" if device.emulated else "attached, opened when first used"
        sys.stdout.write(f"{name:{width}}  {device.kind}, {end}{f': {where}' if where else ''}\n")
    sys.stdout.write(
        f"\npage        {server.login_link}  (works once)\n"
        f"API         {server.url}\n"
        f"token       {server.guard.token}\n"
        f"controller  {server.controller_url}  (/usbN/touch/on and so on)\n"
    )
    sys.stdout.flush()
