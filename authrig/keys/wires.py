"""The ways in which a key is plugged in, by the names that the command line knows."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from authrig.errors import RigError
from authrig.keys.port import Wire
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.iso7816 import Iso7816
from emulators.fido_authenticator.profile import Profile
from emulators.usb.errors import PlugError

if TYPE_CHECKING:
    from emulators.usb.usbip_server import UsbIpServer

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Listen:
    """Where keys on the network listen. Port 0 takes a free one, None the transport's own: 3240 for USB/IP, else 0."""

    host: str = LOOPBACK
    port: int | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return self.host in (LOOPBACK, "localhost", "::1")


def fitted(profile: Profile, transport: str) -> Profile:
    """What makes of ``profile`` a key that promises its hosts no more than ``transport`` carries."""
    if transport != "uhid":
        return profile
    from emulators.fido_authenticator.transports.uhid import fit_profile  # noqa: PLC0415 - a cold start counts

    return fit_profile(profile)


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


class Cabling:
    """Plugs keys in, all by the same ``transport``: pty, tcp, uhid or usbip. What they share ends with ``close``."""

    def __init__(self, transport: str, listen: Listen | None = None) -> None:
        self._make = _WIRES[transport]
        self.listen = listen or Listen()
        self._shared = ExitStack()
        self._usbip: UsbIpServer | None = None

    def plug(self, number: int) -> Callable[[CtapHid], Wire]:
        """How to plug a key into port ``number``, counted from 1.

        What it returns raises a RigError if that cannot be.
        """

        def plug(hid: CtapHid) -> Wire:
            try:
                return self._make(self, number, hid)
            except PlugError as error:
                raise RigError(str(error)) from error

        return plug

    def close(self) -> None:
        """Let go of what the keys shared; they have to be unplugged by then."""
        self._shared.close()

    # Only what is plugged in is imported: a cold start counts.

    def pty(self, _: int, hid: CtapHid) -> Wire:
        """A pseudo-terminal."""
        from emulators.fido_authenticator.transports.pty import PtyTransport  # noqa: PLC0415 - see above

        try:
            pty = PtyTransport(hid)
        except OSError as error:
            raise PlugError(
                f"no pseudo-terminal for the key: {error.strerror}; is devpts mounted on /dev/pts?"
            ) from error
        return _Plugged(pty, lambda: pty.path)

    def uhid(self, _: int, hid: CtapHid) -> Wire:
        """A device node that the kernel makes."""
        from emulators.fido_authenticator.transports.uhid import UhidTransport  # noqa: PLC0415 - see above

        uhid = UhidTransport(hid)
        return _Plugged(uhid, lambda: str(uhid.path))

    def tcp(self, number: int, hid: CtapHid) -> Wire:
        """A TCP port for each key, one after another unless they take free ones."""
        from emulators.fido_authenticator.transports.tcp import TcpTransport  # noqa: PLC0415 - see above

        port = self.listen.port + number - 1 if self.listen.port else 0
        tcp = TcpTransport(hid, self.listen.host, port)
        return _Plugged(tcp, lambda: "{}:{}".format(*tcp.address))

    def usbip(self, _: int, hid: CtapHid) -> Wire:
        """A bus that all keys are on."""
        from emulators.fido_authenticator.transports.usb import UsbTransport  # noqa: PLC0415 - see above
        from emulators.usb.usbip_server import PORT, UsbIpServer  # noqa: PLC0415 - see above

        if self._usbip is None:
            port = PORT if self.listen.port is None else self.listen.port
            self._usbip = self._shared.enter_context(UsbIpServer(self.listen.host, port))
        host, port = self._usbip.address
        usb = UsbTransport(hid, self._usbip)
        return _Plugged(usb, lambda: f"{host}:{port}/{usb.busid}")


class CardReader:
    """Puts keys as cards into pcscd's Virtual PCD, whose slots wait at ``host`` and the ports from ``port`` on."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    def plug(self, number: int) -> Callable[[Iso7816], Wire]:
        """How to put a key into slot ``number``, counted from 1.

        What it returns raises a RigError if that cannot be.
        """

        def plug(card: Iso7816) -> Wire:
            from emulators.fido_authenticator.transports.smart_card import SmartCardTransport  # noqa: PLC0415 - see above

            try:
                transport = SmartCardTransport(card, self._host, self._port + number - 1)
            except PlugError as error:
                raise RigError(str(error)) from error
            return _Plugged(transport, lambda: "{}:{}".format(*transport.address))

        return plug


_WIRES: Mapping[str, Callable[[Cabling, int, CtapHid], Wire]] = {
    "pty": Cabling.pty,
    "tcp": Cabling.tcp,
    "uhid": Cabling.uhid,
    "usbip": Cabling.usbip,
}
