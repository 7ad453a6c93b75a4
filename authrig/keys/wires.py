"""The ways in which a key is plugged in, by the names that the command line knows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from authrig.errors import RigError
from authrig.keys.port import Wire
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.usb.errors import PlugError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a key on the network listens; port 0 takes a free one."""

    host: str = LOOPBACK
    port: int = 0

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return self.host in (LOOPBACK, "localhost", "::1")


class _Transport(Protocol):
    """What the key's transports have in common: as a context manager they serve in a thread of their own."""

    def __enter__(self) -> Self: ...

    def close(self) -> None: ...


class _Plugged:
    """A transport at work."""

    def __init__(self, transport: _Transport, address: Callable[[], str]) -> None:
        self._transport = transport
        transport.__enter__()
        try:
            self.address = address()
        except PlugError:
            transport.close()
            raise

    def close(self) -> None:
        self._transport.close()


# Only what is plugged in is imported: a cold start counts.


def _pty(hid: CtapHid, listen: Listen) -> Wire:
    del listen
    from emulators.fido_authenticator.transports.pty import PtyTransport  # noqa: PLC0415 - see above

    try:
        pty = PtyTransport(hid)
    except OSError as error:
        raise PlugError(f"no pseudo-terminal for the key: {error.strerror}; is devpts mounted on /dev/pts?") from error
    return _Plugged(pty, lambda: pty.path)


def _uhid(hid: CtapHid, listen: Listen) -> Wire:
    del listen
    from emulators.fido_authenticator.transports.uhid import UhidTransport  # noqa: PLC0415 - see above

    uhid = UhidTransport(hid)
    return _Plugged(uhid, lambda: str(uhid.path))


def _tcp(hid: CtapHid, listen: Listen) -> Wire:
    from emulators.fido_authenticator.transports.tcp import TcpTransport  # noqa: PLC0415 - see above

    tcp = TcpTransport(hid, listen.host, listen.port)
    return _Plugged(tcp, lambda: "{}:{}".format(*tcp.address))


_WIRES: Mapping[str, Callable[[CtapHid, Listen], Wire]] = {"pty": _pty, "tcp": _tcp, "uhid": _uhid}


def wire(transport: str, listen: Listen | None = None) -> Callable[[CtapHid], Wire]:
    """How to plug a key in by ``transport``: pty, tcp (at ``listen``) or uhid."""
    make = _WIRES[transport]

    def plug(hid: CtapHid) -> Wire:
        try:
            return make(hid, listen or Listen())
        except PlugError as error:
            raise RigError(str(error)) from error

    return plug
