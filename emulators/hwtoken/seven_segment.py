"""A seven-segment display: what fits eight digits of each screen, and the segments as dots."""

import numpy as np
from numpy.typing import NDArray

from emulators.hwtoken.profile import SevenSegment
from emulators.hwtoken.screens import (
    Code,
    Declined,
    Error,
    ErrorKind,
    Idle,
    Locked,
    Menu,
    Notice,
    Off,
    Refused,
    Review,
    Scanning,
    Screen,
    Typing,
    Waiting,
)

SEGMENTS = {
    **dict(zip("0123456789", (0x3F, 0x06, 0x5B, 0x4F, 0x66, 0x6D, 0x7D, 0x07, 0x7F, 0x6F), strict=True)),
    **dict(zip("AbCdEFGHILnoPrStUY", (0x77, 0x7C, 0x39, 0x5E, 0x79, 0x71, 0x3D, 0x76, 0x30, 0x38, 0x54, 0x5C, 0x73, 0x50, 0x6D, 0x78, 0x3E, 0x6E), strict=True)),
    " ": 0, "-": 0x40, "_": 0x08, "=": 0x48,
}  # fmt: skip
"""Which of the segments a to g (bits 0 to 6) are lit for a character."""

BOXES = ((1, 0, 6, 2), (6, 1, 2, 7), (6, 8, 2, 7), (1, 14, 6, 2), (0, 8, 2, 7), (0, 1, 2, 7), (1, 7, 6, 2))
"""Left, top, width and height in dots of the segments a to g, within a digit."""


def text_of(screen: Screen, digits: int) -> str:
    """``screen`` in ``digits`` characters, each of which has segments."""
    match screen:
        case Off():
            text = ""
        case Idle() | Refused() | Scanning() | Review() | Waiting():
            text = "--------"
        case Menu(_, chosen):
            text = f"SEL {chosen + 1}"
        case Notice():
            text = "donE"
        case Typing(_, _, shown, wheel):
            text = "".join("-" if character == "*" else character for character in shown) + (wheel or "_")
        case Locked():
            text = "LoC"
        case Code(code) | Declined(code):
            text = code.replace(" ", "")
        case Error(kind):
            text = f"Err {list(ErrorKind).index(kind) + 1}"
    return text[-digits:].ljust(digits)


def render(screen: Screen, display: SevenSegment, stuck: dict[tuple[int, int], bool]) -> NDArray[np.uint8]:
    """The display as dots, shape (height, width), 1 where a segment is dark against the ground.

    ``stuck`` are segments, as (digit, segment a=0 to g=6) from the left, that are always on or always off.
    """
    dots = np.zeros((display.height, display.width), np.uint8)
    for place, character in enumerate(text_of(screen, display.digits)):
        for segment, (left, top, width, height) in enumerate(BOXES):
            lit = stuck.get((place, segment), bool(SEGMENTS.get(character, 0) >> segment & 1))
            if lit:
                x = 4 + place * display.pitch + left
                dots[4 + top : 4 + top + height, x : x + width] = 1
    return dots
