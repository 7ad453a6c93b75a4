"""A relay board on a pseudo-terminal, as docs/reference/relay-protocol.md wants it."""

import os
import threading
import tty
from collections.abc import Iterator
from typing import Self

import pytest


class BoardOnAPty:
    """Answers on ``path`` while in a ``with`` block, and writes down what was done to its relays."""

    def __init__(self, channels: int = 4) -> None:
        self.channels = channels
        self.done: list[tuple[str, int]] = []
        self.mute = False
        self._end, self._host_end = os.openpty()
        tty.setraw(self._host_end)
        self.path = os.ttyname(self._host_end)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._host_end, b"STOP\n")
        self._thread.join()
        os.close(self._host_end)
        os.close(self._end)

    def _serve(self) -> None:
        with os.fdopen(os.dup(self._end), "rb", buffering=0) as line:
            while (request := line.readline().decode().split()) != ["STOP"]:
                if not self.mute:
                    os.write(self._end, self._answer(request).encode() + b"\r\n")

    def _answer(self, request: list[str]) -> str:
        match request:
            case ["ID"]:
                return f"RELAYS {self.channels}"
            case ["SET", channel, ("ON" | "OFF") as state] if int(channel) <= self.channels:
                self.done.append((state, int(channel)))
                return "OK"
            case ["PULSE", channel, _] if int(channel) <= self.channels:
                self.done.append(("PULSE", int(channel)))
                return "OK"
            case _:
                return "ERR what"


@pytest.fixture
def board() -> Iterator[BoardOnAPty]:
    """A board with four relays."""
    with BoardOnAPty() as board:
        yield board
