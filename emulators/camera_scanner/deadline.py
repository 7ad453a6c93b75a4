"""A hard deadline for calls that nothing can interrupt: they run beside, and whoever waits goes on without them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_MOST_STRAYS = 2
"""So many calls may go on after their deadline; the next one waits for them, so that an attacker cannot pile them up."""

_strays: list[threading.Thread] = []
_lock = threading.Lock()


def within(call: Callable[[], T], seconds: float) -> T | None:
    """What ``call`` returns, or None as soon as ``seconds`` are over.

    A call that is late goes on in its thread, and its result is thrown away: it must end by itself soon after, and
    change nothing.

    Raises:
        Exception: what ``call`` raises in time.
    """
    until = time.monotonic() + seconds
    if not _room_for_one_more(until):
        return None
    answers: list[T] = []
    errors: list[BaseException] = []

    def answer() -> None:
        try:
            answers.append(call())
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            errors.append(error)

    # No daemon: a program that ends waits for it, since Python ends such threads in a way that aborts native libraries.
    thread = threading.Thread(target=answer, name="read within a deadline", daemon=False)
    thread.start()
    thread.join(max(0.0, until - time.monotonic()))
    if thread.is_alive():
        with _lock:
            _strays.append(thread)
        return None
    if errors:
        raise errors[0]
    return answers[0]


def _room_for_one_more(until: float) -> bool:
    """Whether few enough calls are still running after their deadlines; waits for them ``until`` then."""
    while True:
        with _lock:
            _strays[:] = [thread for thread in _strays if thread.is_alive()]
            if len(_strays) < _MOST_STRAYS:
                return True
            oldest = _strays[0]
        oldest.join(max(0.0, until - time.monotonic()))
        if oldest.is_alive():
            return False
