"""A key in a smart-card reader: pcscd's Virtual PCD (the package vsmartcard-vpcd), which every PC/SC program finds.

The reader waits on a TCP port for a card. Each message either way is its length in two bytes and its content; a content
of one byte is what the reader does to the card: 0 power off, 1 power on, 2 reset, 4 read the ATR. All others are APDUs.
Only an ATR and an APDU are answered.
"""

import contextlib
import select
import socket
import time
from collections.abc import Mapping

from emulators.fido_authenticator.iso7816 import Iso7816
from emulators.fido_authenticator.transports.preparation import Preparation
from emulators.usb.errors import PlugError
from emulators.usb.service import Service

LOOPBACK = "127.0.0.1"
PORT = 35963
"""Where the first slot of the Virtual PCD waits for a card; the second does so one above."""

_OFF, _ON, _RESET, _ATR = 0, 1, 2, 4
_LENGTH_BYTES = 2
_HIGHEST_PORT = 65535
_PATIENCE = 4.0
"""Seconds for the reader to look whether there is a card, which it does a few times a second."""
_AGAIN = 0.5
"""Seconds between two attempts to get back into a reader that has gone."""


class SmartCardTransport(Service):
    """Holds ``card`` in the slot of the Virtual PCD at ``host`` and ``port`` until it is closed.

    When pcscd is restarted, the card goes back into its reader as soon as there is one. Time-outs are kept on the
    env's clock: one that stands still never ends a wait.

    Raises:
        PlugError: if no reader waits there, or another card is in it.
    """

    def __init__(self, card: Iso7816, host: str = LOOPBACK, port: int = PORT) -> None:
        self._slot = (host, port)
        self._reader: socket.socket | None = _insert(host, port)
        super().__init__()
        self.card = card
        self._atr = card.authenticator.profile.smart_card.atr_bytes
        self._inbox = bytearray()
        self._try_at = 0.0
        self._preparation = Preparation(card.authenticator)
        card.authenticator.user.listen(self.wake)

    @property
    def address(self) -> tuple[str, int]:
        """The slot: host and port."""
        return self._slot

    def run(self) -> None:
        """Answer the reader until ``stop`` is called from another thread."""
        while not self._stopping:
            with self._lock:
                wanted = {} if self._reader is None else {self._reader.fileno(): select.POLLIN}
                pause = self._pause()
            ready = self._wait(wanted, self._preparation.shorten(pause))
            with self._lock:
                busy = self._receive(ready) if self._reader is not None else self._insert_again()
                self._preparation.waited(idle=pause is None and not busy)
                self._answer(self.card.poll())

    def close(self) -> None:
        """Stop, and take the card out of the reader. Twice is allowed."""
        if not self._closed:
            self.card.authenticator.user.unlisten(self.wake)
        super().close()

    def _pause(self) -> float | None:
        """Milliseconds until there is something to do."""
        if self._reader is None:
            return max(0.0, self._try_at - time.monotonic()) * 1000
        deadline = self.card.next_deadline()
        return None if deadline is None else max(0.0, deadline - self.card.clock.monotonic()) * 1000

    def _receive(self, ready: Mapping[int, int]) -> bool:
        """Take what the reader has sent; whether any program has asked for something."""
        assert self._reader is not None
        if self._reader.fileno() not in ready:
            return False
        try:
            data = self._reader.recv(1 << 16)
            # The reader writes length and content apart, and its system holds the content back until the length is
            # acknowledged: 40 ms later, unless at once. Linux forgets this wish, so it is said each time.
            self._reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except OSError:
            data = b""
        if not data:
            self._lose_reader()
            return False
        self._inbox += data
        asked = False
        while (message := self._next_message()) is not None:
            asked |= self._handle(message)
        return asked

    def _next_message(self) -> bytes | None:
        end = _LENGTH_BYTES + int.from_bytes(self._inbox[:_LENGTH_BYTES])
        if len(self._inbox) < _LENGTH_BYTES or len(self._inbox) < end:
            return None
        message = bytes(self._inbox[_LENGTH_BYTES:end])
        del self._inbox[:end]
        return message

    def _handle(self, message: bytes) -> bool:
        """Do what the reader says; whether it was an APDU."""
        if len(message) > 1:
            self._answer(self.card.receive(message))
            return True
        action = message[0] if message else None
        if action == _ATR:
            # A reader looks for the card in this way, several times a second: nothing happens to the card.
            self._answer(self._atr)
        elif action in (_ON, _RESET):
            self.card.power_cycle()
        elif action == _OFF:
            self.card.power_off()
        return False

    def _answer(self, content: bytes | None) -> None:
        if content is None or self._reader is None:
            return
        try:
            self._reader.sendall(len(content).to_bytes(_LENGTH_BYTES) + content)
        except OSError:
            self._lose_reader()

    def _lose_reader(self) -> None:
        """The reader has gone, and the card's power with it."""
        assert self._reader is not None
        self._reader.close()
        self._reader = None
        self._inbox.clear()
        self.card.power_off()
        self._try_at = time.monotonic() + _AGAIN

    def _insert_again(self) -> bool:
        if time.monotonic() >= self._try_at:
            self._try_at = time.monotonic() + _AGAIN
            with contextlib.suppress(OSError):
                self._reader = _connect(*self._slot, patience=_AGAIN)
        return False

    def _close_files(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self.card.power_off()


def _connect(host: str, port: int, patience: float) -> socket.socket:
    reader = socket.create_connection((host, port), patience)
    if reader.getsockname() == reader.getpeername():
        # Nobody listens there: the system took the very port that is called for the caller's own, as it may.
        reader.close()
        raise ConnectionRefusedError
    reader.settimeout(_PATIENCE)
    reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return reader


def _insert(host: str, port: int) -> socket.socket:
    """Put the card into the slot, and wait until the reader has seen it.

    The reader looks at its slot a few times a second. One that has not seen that a card was out, and finds another in
    its place, gives that one to nobody: so each comes twice, and the first time it is gone as the reader looks.

    Raises:
        PlugError: if that cannot be.
    """
    _call(host, port).close()
    return _call(host, port)


def _call(host: str, port: int) -> socket.socket:
    """A connection to a reader that has asked whether there is a card.

    Raises:
        PlugError: if there is none.
    """
    if not 0 < port <= _HIGHEST_PORT:
        raise PlugError(f"no card reader at {host}:{port}: expected a port from 1 to {_HIGHEST_PORT}")
    taken = f"the reader at {host}:{port} does not look at this card: another one is in it; take that out first"
    try:
        reader = _connect(host, port, _PATIENCE)
    except ConnectionRefusedError as error:
        raise PlugError(
            f"no card reader waits at {host}:{port}: `apt-get install pcscd vsmartcard-vpcd`, then "
            "`systemctl restart pcscd` (or `pcscd` where there is no systemd)"
        ) from error
    except TimeoutError as error:
        # A reader that has a card takes no second call, and where it is on this machine nothing else is silent.
        raise PlugError(taken) from error
    except OSError as error:
        raise PlugError(f"no card reader at {host}:{port}: {error.strerror or error}") from error
    if not select.select([reader], [], [], _PATIENCE)[0]:
        reader.close()
        raise PlugError(taken)
    return reader
