"""What a QR token's port is put together from: something that shows it pictures, presses its keys and reads its display.

Each has ends of its own (emulated, the device's console, a camera, relays, a person), and any may go with any.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from emulators.camera_scanner.frames import Image
    from emulators.hwtoken.keys import Button

CODE_DIGITS = range(4, 11)

# What a token can do, and this end of its port: words that tests choose by.
WORDS: Final = "words"
"""Its display can be read in words, and which screen is up."""
CONSOLE: Final = "console"
"""Its counters can be read and faults set."""
TIME: Final = "time"
"""Time can pass for it at once."""
PIN: Final = "pin"
"""It has a PIN of its own."""
CLOCK: Final = "clock"
"""It knows the time."""
KEYPAD: Final = "keypad"
"""It has keys for digits; without, two buttons turn a wheel."""
CAMERA: Final = "camera"
"""It scans QR codes."""
POWER: Final = "power"
"""Its power can be taken away."""
ACTIVATION: Final = "activation"
"""It may be erased and activated anew: afterwards its maker's tool has to provision it."""
WIPES: Final = "wipes"
"""The last wrong PIN erases it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a display was read to show.

    ``state`` is the console's word for the screen (docs/reference/token-console.md), ``lines`` its words and ``ok`` the
    word above OK; None where this end of the port cannot tell, as a camera that reads digits cannot. ``code`` has the
    digits, if there is a code; ``png`` is a picture of it.
    """

    state: str | None
    lines: tuple[str, ...] | None
    ok: str | None
    code: str | None
    png: bytes | None = field(default=None, repr=False)


def code_in(lines: tuple[str, ...]) -> str | None:
    """The one line that is nothing but digits, in groups or not."""
    joined = [line.replace(" ", "") for line in lines]
    codes = [line for line in joined if line.isascii() and line.isdecimal() and len(line) in CODE_DIGITS]
    return codes[0] if len(codes) == 1 else None


UNTOLD = Shown(None, None, None, None)
"""What is known of a display that nobody has looked at."""


class ShowsPictures(Protocol):
    """Holds pictures before the device's camera."""

    def showing(self, picture: Image) -> AbstractContextManager[None]:
        """Within it ``picture`` is before the camera.

        Raises:
            RigError: if it cannot be shown.
        """
        ...


class PressesKeys(Protocol):
    """Presses the device's keys."""

    def press(self, button: Button, *, held: bool = False) -> None:
        """Press and release one; ``held``: after more than a second.

        Raises:
            RigError: if that cannot be done.
        """
        ...


class TalksBack(Protocol):
    """A console of the device (docs/reference/token-console.md), for what no hand can do."""

    def ask(self, command: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a command.

        Raises:
            RigError: if none comes, or the device refuses.
        """
        ...


class ReadsDisplay(Protocol):
    """Reads the device's display."""

    @property
    def tells_state(self) -> bool:
        """Whether it tells which screen is up, and its words, at any time; else it reads codes only."""
        ...

    def looks(self) -> Iterator[Shown]:
        """What it shows, once at least, and again for as long as one would wait for the device to do something.

        Raises:
            RigError: if it cannot be read at all.
        """
        ...
