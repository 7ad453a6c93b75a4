"""A serial device on a TCP port: ``socket://127.0.0.1:PORT`` for pyserial, or ``nc``. A socket knows no baud rate."""

import select
import socket
from collections.abc import Mapping

from emulators.usb.listening import LOOPBACK, listen
from emulators.usb.serial_shell import Device, SerialShell


class SerialTcp(SerialShell[Device]):
    """A line between ``device`` and one host at a time: a serial line has one other end, so others are hung up on.

    Raises:
        PlugError: if the address is not this machine's, or the port is taken.
    """

    def __init__(self, device: Device, host: str = LOOPBACK, port: int = 0) -> None:
        self._listener = listen(host, port)
        super().__init__(device)
        self._host: socket.socket | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Where the host connects to."""
        host, port = self._listener.getsockname()[:2]
        return host, port

    def _wanted(self) -> Mapping[int, int]:
        wanted = {self._listener.fileno(): select.POLLIN}
        if self._host is not None:
            wanted[self._host.fileno()] = select.POLLIN | (select.POLLOUT if self._outbox else 0)
        return wanted

    def _receive(self, ready: Mapping[int, int]) -> bytes:
        data = b""
        if self._host is not None and ready.get(self._host.fileno(), 0) & ~select.POLLOUT:
            try:
                data = self._host.recv(4096)
            except BlockingIOError:
                return b""
            except OSError:
                data = b""
            if not data:
                self._hang_up()
        # Where the host has left, its last words come first; whoever calls is served in the next round.
        if self._listener.fileno() in ready and not self._has_left():
            self._accept()
        return data

    def _has_left(self) -> bool:
        """Whether there is a host whose line is at its end, although that has not been read yet."""
        if self._host is None:
            return False
        try:
            return not self._host.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # whoever called has hung up
            return
        if self._host is not None:
            connection.close()
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = connection
        self._outbox.clear()

    def _write(self, data: bytes) -> int:
        if self._host is None:  # what is said while nobody listens is lost
            return len(data)
        try:
            return self._host.send(data)
        except BlockingIOError:
            raise
        except OSError:  # that it has left is noticed when it is read from
            return len(data)

    def _hang_up(self) -> None:
        if self._host is not None:
            self._host.close()
            self._host = None
        self._outbox.clear()

    def _close_files(self) -> None:
        self._hang_up()
        self._listener.close()
