"""What shells share that wait for file descriptors: one thread, one lock, a way to wake it."""

import contextlib
import os
import select
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Self


class Service(ABC):
    """Something that ``run`` serves until ``stop``; as a context manager it does so in a thread of its own.

    A subclass's ``run`` waits with ``_wait`` and looks at ``_stopping`` each time. What it shares with other threads it
    touches with ``_lock`` held.
    """

    def __init__(self) -> None:
        self._woken, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # Reentrant, as whoever is asked from within the thread may answer on the spot, and that wakes it.
        self._lock = threading.RLock()
        self._stopping = False
        self._closed = False
        self._thread: threading.Thread | None = None
        self._watched: dict[int, int] | None = None
        self._poll = select.poll()

    @abstractmethod
    def run(self) -> None:
        """Serve until ``stop`` is called from another thread."""

    @abstractmethod
    def _close_files(self) -> None:
        """Close all that the subclass has opened; called once, with the lock held."""

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.run, name=type(self).__name__, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def wake(self) -> None:
        """Have the thread look again now; may be called from any thread."""
        # A full pipe wakes just as well.
        with self._lock, contextlib.suppress(BlockingIOError):
            if not self._closed:
                os.write(self._waker, b"\0")

    def stop(self) -> None:
        """End ``run``; may be called from any thread."""
        self._stopping = True
        self.wake()

    def close(self) -> None:
        """Stop, and take the device away: a host that has it open reads an error or an end. Twice is allowed."""
        if self._closed:
            return
        self.stop()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            self._closed = True
            self._close_files()
            os.close(self._woken)
            os.close(self._waker)

    def _wait(self, wanted: Mapping[int, int], pause: float | None) -> dict[int, int]:
        """Wait for ``wanted`` (descriptors, each with its poll events), for ``wake``, or until ``pause`` milliseconds are over.

        Returns:
            The events that came, none if the time was over; of a wake too, which has been heeded.
        """
        if wanted != self._watched:
            self._watch(wanted)
        ready = dict(self._poll.poll(pause))
        if self._woken in ready:
            os.read(self._woken, 4096)
        return ready

    def _watch(self, wanted: Mapping[int, int]) -> None:
        """Have ``_wait`` wait for ``wanted`` and for ``wake``: kept until something else is wanted, as that is rare."""
        self._watched = dict(wanted)
        self._poll = select.poll()
        for descriptor, events in {**wanted, self._woken: select.POLLIN}.items():
            self._poll.register(descriptor, events)
