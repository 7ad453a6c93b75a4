"""The key that Yubico's suite judges as a card: in a reader of its own, in which the suite finds it by PC/SC."""

from collections.abc import Mapping
from contextlib import ExitStack

from authrig.keys.key_file import KeyFile
from authrig.keys.pcscd import SLOTS, SOCKET_VARIABLE, own_pcscd
from authrig.keys.port import Port
from authrig.keys.wires import LOOPBACK, CardReader
from emulators.fido_authenticator.iso7816 import Iso7816
from emulators.fido_authenticator.user import User

SMART_CARD = "smartcard"


class Reader:
    """A reader for one key, with a pcscd that nobody else uses.

    Raises:
        RigError: if there can be none.
    """

    arguments: tuple[str, ...] = ("--reader", SLOTS[0])
    """What the suite must be told on its command line."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._daemon = self._running.enter_context(own_pcscd())

    def fit(self, key: KeyFile) -> KeyFile:
        """The same key: a reader carries all that it says."""
        return key

    def port(self, key: KeyFile, user: User) -> Port:
        """A port with ``key`` in it, still without power."""
        return Port(Iso7816(key.authenticator(user)), CardReader(LOOPBACK, self._daemon.port).plug(1))

    def settings(self, url: str) -> Mapping[str, str]:
        """Where the suite finds the key; the control API at ``url`` is not needed for that."""
        del url
        return {SOCKET_VARIABLE: str(self._daemon.socket)}

    def close(self) -> None:
        """Put the reader away; the key has to be out by then."""
        self._running.close()
