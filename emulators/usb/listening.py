"""Sockets that wait for hosts."""

import socket

from emulators.usb.errors import PlugError

LOOPBACK = "127.0.0.1"
_HIGHEST_PORT = 65535


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; ``port`` 0 takes a free one. Never blocks.

    Raises:
        PlugError: if the address is not this machine's, or the port is taken.
    """
    if not 0 <= port <= _HIGHEST_PORT:
        raise PlugError(f"cannot listen on {host} port {port}: expected a port from 0 to {_HIGHEST_PORT}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PlugError(f"cannot listen on {host}: {error.strerror}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise PlugError(f"cannot listen on {host} port {port}: {error.strerror}; another port may be free") from error
    return listener
