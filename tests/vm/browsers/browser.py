"""What a scenario does with a browser, whichever it is, and how it waits for one."""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from tests.vm.browsers.display import Display

SLOW_SECONDS = 300.0
"""How long a step may take that takes a second on a machine that is no program."""
PAUSE_SECONDS = 0.5
"""Looking at a screen or into a page costs the browser time that it needs to get on."""

_T = TypeVar("_T")


def wait_until(look: Callable[[], _T | None]) -> _T:
    """What ``look`` returns as soon as it is something."""
    deadline = time.monotonic() + SLOW_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, f"it did not happen within {SLOW_SECONDS:.0f} s"
        time.sleep(PAUSE_SECONDS)
    return found


class WebBrowser(Protocol):
    """A browser with one window on a display, and one page in it. Parts of the page are named by CSS selectors."""

    name: str
    display: Display

    def forget(self) -> None:
        """Be as new: no cookies."""
        ...

    def open(self, url: str) -> None:
        """Go to a page and wait until it is there."""
        ...

    def fill(self, selector: str, text: str) -> None:
        """Type into a field."""
        ...

    def click(self, selector: str) -> None:
        """Click a button as soon as it is there and may be clicked."""
        ...

    def texts(self, selector: str) -> list[str]:
        """What is to be read there; nothing while there is no page to be read."""
        ...

    def wait_for_pin_prompt(self) -> None:
        """Until the browser itself asks for the key's PIN."""
        ...

    def wait_for_pin_complaint(self) -> None:
        """Until it says that the PIN was wrong, and asks again."""
        ...

    def cancel(self) -> None:
        """Press Cancel where the browser asks for a touch."""
        ...

    def close_complaint(self) -> None:
        """Close what the browser says about a key that will not do, where it has a window of its own for that."""
        ...
