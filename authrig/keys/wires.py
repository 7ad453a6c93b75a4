"""The ways in which a key is plugged in, by the names that the command line knows."""

from collections.abc import Callable, Mapping

from authrig.errors import RigError
from authrig.keys.port import Wire
from emulators.fido_authenticator.ctaphid import CtapHid


class _Pty:
    """A pseudo-terminal: the address is a path."""

    def __init__(self, hid: CtapHid) -> None:
        from emulators.fido_authenticator.transports.pty import PtyTransport  # noqa: PLC0415 - only what is plugged in

        try:
            self._transport = PtyTransport(hid)
        except OSError as error:
            raise RigError(
                f"no pseudo-terminal for the key: {error.strerror}; is devpts mounted on /dev/pts?"
            ) from error
        self.address = self._transport.path
        self._transport.__enter__()

    def close(self) -> None:
        self._transport.close()


WIRES: Mapping[str, Callable[[CtapHid], Wire]] = {"pty": _Pty}
