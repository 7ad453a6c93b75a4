"""A key on a TCP port: raw reports of 64 bytes each way and nothing else, for tools that want no device node.

- Connect (with TCP_NODELAY); whoever can connect can use the key, so it listens on loopback unless told otherwise.
- Write reports of exactly 64 bytes, without a report id in front, padded with zeros. Begin with CTAPHID_INIT.
- Read reports of 64 bytes. Several hosts may be connected: as on a real cable, each reads the answers to all.
- A host that writes without reading is no longer listened to once 1024 reports wait for it.
- A host that only listens, and does not read, loses the oldest reports once 4096 wait for it.
- Disconnect at will: when the last host has left, the key gives up what it was asked. Unplugging ends all connections.
"""

import contextlib
import select
import socket
from collections import deque
from collections.abc import Mapping

from emulators.fido_authenticator.ctaphid import REPORT_BYTES, CtapHid
from emulators.fido_authenticator.transports.polled import PolledTransport
from emulators.usb.listening import LOOPBACK, listen

_CHOKED = 1024
_BACKLOG = 4096
_MOST_HOSTS = 64


class _Host:
    """One connection, from the address ``peer``: what it has sent of a report, and what it has not read yet."""

    def __init__(self, connection: socket.socket, peer: tuple[object, ...]) -> None:
        self.connection = connection
        self.peer = peer
        self.inbox = b""
        self.outbox: deque[bytes] = deque(maxlen=_BACKLOG)
        self.rest = b""
        """The end of a report of which it has taken the beginning."""

    def events(self) -> int:
        """What to wait for."""
        listening = 0 if len(self.outbox) >= _CHOKED else select.POLLIN
        return listening | (select.POLLOUT if self.rest or self.outbox else 0)

    def receive(self) -> list[bytes] | None:
        """The whole reports that have come; None: the host has left."""
        try:
            data = self.connection.recv(_CHOKED * REPORT_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data:
            return None
        data = self.inbox + data
        whole = len(data) - len(data) % REPORT_BYTES
        self.inbox = data[whole:]
        return [data[at : at + REPORT_BYTES] for at in range(0, whole, REPORT_BYTES)]

    def send(self) -> None:
        """Give the host as much as it takes; that it has left is noticed when it is read from."""
        with contextlib.suppress(OSError):
            while self.rest or self.outbox:
                self.rest = self.rest or self.outbox.popleft()
                self.rest = self.rest[self.connection.send(self.rest) :]


class TcpTransport(PolledTransport):
    """A cable between ``hid`` and every host that connects to ``address`` (host, port).

    ``port`` 0 takes a free one. ``host`` is an IPv4 or IPv6 address of this machine, or a name of one.

    Raises:
        PlugError: if the address is not this machine's, or the port is taken.
    """

    def __init__(self, hid: CtapHid, host: str = LOOPBACK, port: int = 0) -> None:
        self._listener = listen(host, port)
        super().__init__(hid)
        self._hosts: dict[int, _Host] = {}

    @property
    def address(self) -> tuple[str, int]:
        """Where hosts connect to."""
        host, port = self._listener.getsockname()[:2]
        return host, port

    def power_cycle(self) -> None:
        """Unplug the key, which ends all connections, and plug it in again."""
        with self._lock:
            self._disconnect_all()
            self.hid.power_cycle()
        self.wake()

    def _wanted(self) -> Mapping[int, int]:
        listening = select.POLLIN if len(self._hosts) < _MOST_HOSTS else 0
        hosts = {descriptor: host.events() for descriptor, host in self._hosts.items()}
        return {self._listener.fileno(): listening, **hosts}

    def _receive(self, ready: Mapping[int, int]) -> None:
        for descriptor in ready:
            host = self._hosts.get(descriptor)
            if host is None or not ready[descriptor] & ~select.POLLOUT:
                continue
            reports = host.receive()
            if reports is None:
                host.connection.close()
                del self._hosts[descriptor]
                if not self._hosts:
                    self.hid.host_left()
                continue
            for report in reports:
                self.hid.receive(report)
        if self._listener.fileno() in ready:
            self._accept()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # whoever called has hung up, or this process has no descriptor left
            connection, peer = self._listener.accept()
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._hosts[connection.fileno()] = _Host(connection, peer)

    def _send(self) -> None:
        reports = self.hid.take_reports()
        for host in self._hosts.values():
            host.outbox.extend(reports)
            host.send()

    def _disconnect_all(self) -> None:
        for host in self._hosts.values():
            host.connection.close()
        self._hosts.clear()

    def _close_files(self) -> None:
        self._disconnect_all()
        self._listener.close()
