"""Digits as they are typed: on a keypad, or with two buttons that turn a wheel."""

from dataclasses import dataclass
from enum import Enum, auto

from emulators.hwtoken.keys import Button

DIGITS = "0123456789"
ERASE, DONE = "<", "="
"""The wheel's other positions: take the last digit away, and finish."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the user is asked to type: ``least`` to ``most`` digits, shown as stars if ``hidden``."""

    title: str
    prompt: str
    least: int
    most: int
    hidden: bool = True


class Outcome(Enum):
    """What a key did."""

    CHANGED = auto()
    DONE = auto()
    GIVEN_UP = auto()
    NOTHING = auto()


class TypedDigits:
    """The digits typed so far in answer to ``question``; ``wheel``: the model has no digit keys."""

    def __init__(self, question: Question, *, wheel: bool) -> None:
        self.question = question
        self.text = ""
        self._wheel = wheel
        self._position = 0

    def __repr__(self) -> str:
        return f"TypedDigits({self.question.title!r}, {len(self.text)} digits)"

    @property
    def shown(self) -> str:
        """The digits as the display may show them."""
        return "*" * len(self.text) if self.question.hidden else self.text

    @property
    def wheel(self) -> str:
        """The position of the wheel, nothing on a keypad."""
        return self._positions[self._position] if self._wheel else ""

    @property
    def enough(self) -> bool:
        """Whether the answer may be finished."""
        return self.question.least <= len(self.text) <= self.question.most

    def press(self, button: Button, *, held: bool = False) -> Outcome:
        """What ``button`` does. Holding CANCEL gives up in every model."""
        if button is Button.CANCEL and held:
            return Outcome.GIVEN_UP
        return self._press_wheel(button) if self._wheel else self._press_keypad(button)

    @property
    def _positions(self) -> str:
        digits = DIGITS if len(self.text) < self.question.most else ""
        return digits + (DONE if self.enough else "") + (ERASE if self.text else "")

    def _press_wheel(self, button: Button) -> Outcome:
        if button is Button.CANCEL:
            self._position = (self._position + 1) % len(self._positions)
            return Outcome.CHANGED
        if button is not Button.OK:
            return Outcome.NOTHING
        taken, self._position = self.wheel, 0
        if taken == DONE:
            return Outcome.DONE
        self.text = self.text[:-1] if taken == ERASE else self.text + taken
        return Outcome.CHANGED

    def _press_keypad(self, button: Button) -> Outcome:
        if button is Button.OK:
            return Outcome.DONE if self.enough else Outcome.NOTHING
        if button is Button.CANCEL:
            if not self.text:
                return Outcome.GIVEN_UP
            self.text = self.text[:-1]
            return Outcome.CHANGED
        if len(self.text) == self.question.most:
            return Outcome.NOTHING
        self.text += button.digit
        return Outcome.CHANGED
