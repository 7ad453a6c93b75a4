"""Tells whether a piece of code leaves a file or a thread behind, in a process where other tests ran before."""

import gc
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def nothing_left_open() -> Iterator[None]:
    """Fail if a file, a socket or a thread is there after the block that was not there before.

    What an earlier test left behind may go in the meantime: only what is new counts.
    """
    gc.collect()
    files, threads = _open_files(), set(threading.enumerate())
    yield
    assert _open_files() - files == Counter()
    assert set(threading.enumerate()) - threads == set()


def _open_files() -> Counter[str]:
    """How often each file is open; a socket has a name of its own."""
    names: Counter[str] = Counter()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            names[str(descriptor.readlink())] += 1
        except FileNotFoundError:
            continue  # the descriptor by which this very folder was read
    return names
