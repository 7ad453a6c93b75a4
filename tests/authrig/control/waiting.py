"""Waiting for what a device does in its own time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from authrig.keys.attached import call_attached

SELECTION = b"\x0b"


def wait_for(condition: Callable[[], object]) -> None:
    """Until it holds."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited for twenty seconds"
        time.sleep(0.01)


@contextmanager
def selecting(address: str) -> Iterator[list[bytes]]:
    """A host that has the key at ``address`` blink (CTAP 2.3 §6.9), and what it was answered."""
    answers: list[bytes] = []
    thread = threading.Thread(target=lambda: answers.append(call_attached(Path(address), SELECTION)))
    thread.start()
    yield answers
    thread.join(timeout=20)
    assert not thread.is_alive()
