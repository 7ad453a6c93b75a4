"""Tells whether a piece of code leaves a file or a thread behind, in a process where other tests ran before."""

import gc
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 10.0
"""Seconds that what was opened by something else, or is being closed, has to go: what leaked stays for ever."""


@contextmanager
def nothing_left_open() -> Iterator[None]:
    """Fail if a file, a socket or a thread is there after the block that was not there before.

    What an earlier test left behind may go in the meantime: only what is new counts, and only what stays.
    """
    gc.collect()
    files, threads = _open_files(), set(threading.enumerate())
    yield
    deadline = time.monotonic() + PATIENCE
    while left := [*(_open_files() - files), *(set(threading.enumerate()) - threads)]:
        assert time.monotonic() < deadline, f"left open: {left}"
        time.sleep(0.02)


def _open_files() -> Counter[str]:
    """How often each file is open; a socket has a name of its own."""
    names: Counter[str] = Counter()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            names[str(descriptor.readlink())] += 1
        except FileNotFoundError:
            continue  # the descriptor by which this very folder was read
    return names
