"""The keys of a token, and how the firmware tells a press from a bounce, a long press, a chord and a key that is stuck."""

from dataclasses import dataclass
from enum import Enum


class Button(Enum):
    """The keys: two on every model, digits on those with a keypad."""

    OK = "ok"
    CANCEL = "cancel"
    DIGIT_0 = "0"
    DIGIT_1 = "1"
    DIGIT_2 = "2"
    DIGIT_3 = "3"
    DIGIT_4 = "4"
    DIGIT_5 = "5"
    DIGIT_6 = "6"
    DIGIT_7 = "7"
    DIGIT_8 = "8"
    DIGIT_9 = "9"

    @property
    def digit(self) -> str:
        """The digit printed on it; nothing on OK and CANCEL."""
        return self.value if self.value.isdigit() else ""


BOUNCE_SECONDS = 0.02
"""A contact that opens or closes again this soon has only bounced."""
HOLD_SECONDS = 1.0
"""A press of this length is a long one."""
STUCK_SECONDS = 10.0
"""No user presses for so long: the key is stuck, and does nothing until it is released."""


@dataclass(frozen=True, slots=True)
class Press:
    """What the firmware makes of a key's contact."""

    button: Button
    held: bool


class KeyScanner:
    """Contacts and times in, presses out. A press counts when the key is released.

    Two keys at once are a chord, which means nothing on these models: neither counts.
    """

    def __init__(self) -> None:
        self._down: dict[Button, float] = {}
        self._released: dict[Button, float] = {}
        self._spoilt: set[Button] = set()

    def down(self, button: Button, at: float) -> None:
        """The contact of ``button`` closes at ``at`` (monotonic seconds)."""
        if button in self._down:
            return
        if self._down:
            self._spoilt |= {button, *self._down}
        self._down[button] = at

    def up(self, button: Button, at: float) -> Press | None:
        """The contact opens; what that amounts to, None where it is nothing."""
        since = self._down.pop(button, None)
        spoilt = button in self._spoilt
        self._spoilt.discard(button)
        if since is None or at - since < BOUNCE_SECONDS:
            return None
        # The bounces after a release are shorter than any press, but one may follow another.
        soon = at - self._released.get(button, -1.0) < BOUNCE_SECONDS
        self._released[button] = at
        if spoilt or soon or at - since >= STUCK_SECONDS:
            return None
        return Press(button, at - since >= HOLD_SECONDS)

    def stuck(self, now: float) -> frozenset[Button]:
        """The keys that have been down for too long."""
        return frozenset(button for button, since in self._down.items() if now - since >= STUCK_SECONDS)
