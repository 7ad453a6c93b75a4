"""What transports share that wait for file descriptors: one thread, one lock, a way to wake it."""

import contextlib
import os
import select
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.transports.preparation import Preparation


class PolledTransport(ABC):
    """Serves ``hid``: ``run`` does until ``stop``; as a context manager it does so in a thread of its own.

    Time-outs are kept on the env's clock: one that stands still never ends a wait.
    """

    def __init__(self, hid: CtapHid) -> None:
        self.hid = hid
        self._woken, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # Reentrant, as a user who is asked may answer on the spot, and that wakes the key.
        self._lock = threading.RLock()
        self._stopping = False
        self._closed = False
        self._thread: threading.Thread | None = None
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

    @abstractmethod
    def _close_files(self) -> None:
        """Close all that the transport has opened."""

    def _send_pause(self) -> float | None:
        """Seconds until ``_send`` has something to do although nothing happens."""
        return None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.run, name=f"key: {type(self).__name__}", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def run(self) -> None:
        """Serve hosts until ``stop`` is called from another thread."""
        while not self._stopping:
            poll = select.poll()
            poll.register(self._woken, select.POLLIN)
            with self._lock:
                for descriptor, events in self._wanted().items():
                    poll.register(descriptor, events)
                pause = self._pause()
            ready = dict(poll.poll(self._preparation.shorten(pause)))
            with self._lock:
                self._preparation.waited(idle=not ready and pause is None)
                if ready.pop(self._woken, 0):
                    os.read(self._woken, 4096)
                self._receive(ready)
                self.hid.poll()
                self._send()

    def wake(self) -> None:
        """Have the key look at its user now; may be called from any thread."""
        # A full pipe wakes just as well.
        with self._lock, contextlib.suppress(BlockingIOError):
            if not self._closed:
                os.write(self._waker, b"\0")

    def stop(self) -> None:
        """End ``run``; may be called from any thread."""
        self._stopping = True
        self.wake()

    def close(self) -> None:
        """Stop, and take the device away: a host that has it open reads an error or an end."""
        if self._closed:
            return
        self.hid.authenticator.user.unlisten(self.wake)
        self.stop()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            self._closed = True
            self._close_files()
            os.close(self._woken)
            os.close(self._waker)

    def _pause(self) -> float | None:
        """Milliseconds until there is something to do."""
        deadline = self.hid.next_deadline()
        pauses = [self._send_pause(), None if deadline is None else deadline - self.hid.clock.monotonic()]
        return min((max(0.0, pause) * 1000 for pause in pauses if pause is not None), default=None)
