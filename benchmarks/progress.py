"""How far a long run is, line by line: one that is interrupted has still told something."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

_EVERY = 100


def told(items: Iterable[T], total: int, so_far: Callable[[], str]) -> Iterator[T]:
    """The items one by one; after every hundredth, and the last, a line on standard error says what was found so far."""
    for done, item in enumerate(items, 1):
        yield item
        if done % _EVERY == 0 or done == total:
            say(f"{done} of {total}: {so_far()}")


def say(line: str) -> None:
    """On standard error, at once."""
    print(line, file=sys.stderr, flush=True)
