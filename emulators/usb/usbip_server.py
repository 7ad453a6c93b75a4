"""Serve virtual USB devices over USB/IP (the kernel's Documentation/usb/usbip_protocol.rst): `usbip attach` plugs one in.

The devices are those of the PyPI library ``usbip``: its descriptors, endpoints and answers to standard requests are used
as they are. Its own listener is not, because a rig needs more of it; this one

- listens on loopback unless told otherwise, and gives its port and threads back when it is closed;
- serves any number of devices, and unplugs one while others stay: its host is cut off;
- lends a device to one host at a time, and tells a second one that it is busy;
- answers each request once, and never after it was taken back, as Linux's driver insists;
- ends a connection that sends what is no USB/IP, asks for too much at once, or takes nothing for seconds.

Limits: nothing encrypted and nobody asked for a password; those of the library are in ``usbip_function``. How many devices
Linux takes at a time is built into its driver: 15 on each of 8 controllers in Debian's.
"""

import contextlib
import select
import socket
import threading
from types import TracebackType
from typing import Any, Protocol, Self

from emulators.usb.errors import PlugError
from emulators.usb.listening import LOOPBACK, listen
from emulators.usb.transfers import Transfers
from emulators.usb.usbip_connection import Connection

PORT = 3240
"""Where `usbip attach` looks unless told otherwise."""
_MOST_CONNECTIONS = 64


class Watcher(Protocol):
    """Wants to know what happens to a device; called in the thread of its host's connection."""

    def attached(self) -> None:
        """A host has plugged it in."""
        ...

    def detached(self) -> None:
        """The host is gone."""
        ...

    def unwatched(self) -> None:
        """The host has stopped asking for what the device has to say: no program has it open."""
        ...


class NobodyWatches:
    """The watcher of a device to which it makes no difference."""

    def attached(self) -> None:
        """A host has plugged it in."""

    def detached(self) -> None:
        """The host is gone."""

    def unwatched(self) -> None:
        """The host has stopped asking."""


class UsbIpServer:
    """A bus that others can plug devices out of. It serves from the start and until it is closed.

    Args:
        host: where it listens.
        port: there; 0 takes a free one.
        transfers: stands between its devices and their hosts, to lose, delay or change what passes; None: nothing does.

    Raises:
        PlugError: if it cannot listen there.
    """

    def __init__(self, host: str = LOOPBACK, port: int = PORT, transfers: Transfers | None = None) -> None:
        self.transfers = transfers
        self._listener = listen(host, port)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        """Where hosts connect to."""
        self._lock = threading.Lock()
        self._devices: dict[str, tuple[Any, Watcher]] = {}
        self._connections: dict[Connection, threading.Thread] = {}
        self._last_device_number = 1
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._accept_all, name="USB/IP server", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def plug_in(self, device: Any, watcher: Watcher | None = None) -> str:
        """Offer ``device`` (a ``usbip.USBDevice``, see ``composite_device``) to hosts.

        Returns:
            The name by which a host asks for it (``usbip attach -b NAME``): the lowest that is free.

        Raises:
            PlugError: if the server is closed.
        """
        with self._lock:
            if self._listener.fileno() < 0:
                raise PlugError("the USB/IP server is closed")
            number = next(number for number in range(1, len(self._devices) + 2) if f"1-{number}" not in self._devices)
            self._last_device_number += 1
            device.busid, device.busnum, device.devnum = f"1-{number}", 1, self._last_device_number
            self._devices[device.busid] = (device, watcher or NobodyWatches())
            return str(device.busid)

    def unplug(self, busid: str) -> None:
        """Take a device away; the host that has it attached is cut off."""
        with self._lock:
            self._devices.pop(busid, None)
            cut = {one: thread for one, thread in self._connections.items() if one.busid == busid}
        _end(cut)

    def close(self) -> None:
        """Cut all hosts off and stop listening."""
        with contextlib.suppress(OSError):  # closed before
            self._stop.send(b"\0")
            self._thread.join()
        with self._lock:
            self._listener.close()
            self._stop.close()
            self._stopped.close()
            connections = dict(self._connections)
        _end(connections)

    def devices(self) -> list[Any]:
        """The devices that are plugged in."""
        with self._lock:
            return [device for device, _ in self._devices.values()]

    def claim(self, busid: str, connection: Connection) -> tuple[Any, Watcher] | None:
        """Lend a device to a host; None: there is no such device.

        Raises:
            PlugError: if another host has it.
        """
        with self._lock:
            if any(one.busid == busid for one in self._connections):
                raise PlugError(f"the device {busid} is attached to another host")
            found = self._devices.get(busid)
            if found is not None:
                connection.busid = busid
            return found

    def _accept_all(self) -> None:
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        poll.register(self._stopped, select.POLLIN)
        while self._stopped.fileno() not in {descriptor for descriptor, _ in poll.poll()}:
            with contextlib.suppress(OSError):  # whoever called has hung up, or this process has no descriptor left
                self._accept(*self._listener.accept())

    def _accept(self, caller: socket.socket, peer: tuple[object, ...]) -> None:
        connection = Connection(caller, peer, self)
        thread = threading.Thread(target=self._serve, args=(connection,), name="USB/IP connection", daemon=True)
        with self._lock:
            if len(self._connections) >= _MOST_CONNECTIONS:
                connection.close()
                return
            self._connections[connection] = thread
            thread.start()

    def _serve(self, connection: Connection) -> None:
        try:
            connection.serve()
        finally:
            with self._lock:
                del self._connections[connection]
            connection.close()


def _end(connections: dict[Connection, threading.Thread]) -> None:
    """Cut hosts off, and wait until their threads have ended."""
    for connection in connections:
        connection.shut_down()
    for thread in connections.values():
        # A device may be unplugged by its own user, who is asked in the thread of the host's connection.
        if thread is not threading.current_thread():
            thread.join()
