"""The keys of a token, and how the firmware tells a press from a bounce, a long press, a chord and a key that is stuck."""

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
