"""What the key's transports share that have several hosts or a queue of their own to look after."""

from abc import abstractmethod
from collections.abc import Mapping

from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.transports.preparation import Preparation
from emulators.usb.service import Service


class PolledTransport(Service):
    """Serves ``hid`` to its hosts.

    Time-outs are kept on the env's clock: one that stands still never ends a wait.
    """

    def __init__(self, hid: CtapHid) -> None:
        super().__init__()
        self.hid = hid
        self._preparation = Preparation(hid.authenticator)
        hid.authenticator.user.listen(self.wake)

    @abstractmethod
    def _wanted(self) -> Mapping[int, int]:
        """The descriptors to wait for, each with its poll events; called with the lock held, like all below."""

    @abstractmethod
    def _receive(self, ready: Mapping[int, int]) -> None:
        """Take what hosts have sent; ``ready`` are descriptors and the events that came."""

    @abstractmethod
    def _send(self) -> None:
        """Give hosts what the key has said, as far as they take it."""

    def _send_pause(self) -> float | None:
        """Seconds until ``_send`` has something to do although nothing happens."""
        return None

    def run(self) -> None:
        """Serve hosts until ``stop`` is called from another thread."""
        with self._lock:
            wanted, pause = self._wanted(), self._pause()
        while not self._stopping:
            ready = self._wait(wanted, self._preparation.shorten(pause))
            with self._lock:
                # A report may have come another way, and may have been what kept this thread waiting for the lock.
                self._preparation.waited(idle=not ready and pause is None and self._pause() is None)
                self._receive(ready)
                self.hid.poll()
                self._send()
                # Whoever changes these from now on wakes this thread.
                wanted, pause = self._wanted(), self._pause()

    def close(self) -> None:
        """Stop, and take the key away: a host that has it open reads an error or an end. Twice is allowed."""
        if not self._closed:
            self.hid.authenticator.user.unlisten(self.wake)
        super().close()

    def _pause(self) -> float | None:
        """Milliseconds until there is something to do."""
        deadline, pause = self.hid.next_deadline(), self._send_pause()
        if deadline is not None:
            left = deadline - self.hid.clock.monotonic()
            pause = left if pause is None else min(pause, left)
        return None if pause is None else max(0.0, pause) * 1000
