"""A screen as dots: what ``render`` returns is the panel, dot for dot; ``picture`` is the device in one's hand."""

import numpy as np
from numpy.typing import NDArray

from emulators.hwtoken import icons
from emulators.hwtoken.casing import draw_device
from emulators.hwtoken.font import Font, load_font
from emulators.hwtoken.layout import Unrenderable, font_of, starts_block, wrap
from emulators.hwtoken.profile import Display, Profile
from emulators.hwtoken.screens import (
    Code,
    Declined,
    Error,
    ErrorKind,
    Idle,
    Line,
    Locked,
    Menu,
    Notice,
    Off,
    Refused,
    Review,
    Scanning,
    Screen,
    Style,
    Typing,
    soft_keys,
)

Dots = NDArray[np.uint8]

ERROR_TITLES = {
    ErrorKind.NOT_OURS: "Not a challenge",
    ErrorKind.DAMAGED: "Damaged code",
    ErrorKind.UNSUPPORTED: "Not supported",
    ErrorKind.NOT_FOR_THIS_TOKEN: "Another token",
    ErrorKind.EXPIRED: "Expired",
    ErrorKind.NOT_YET_VALID: "Not yet valid",
    ErrorKind.UNRENDERABLE: "Unreadable text",
    ErrorKind.SEVERAL: "Several codes",
    ErrorKind.SCAN_TIME_OUT: "Nothing found",
    ErrorKind.NOT_PROVISIONED: "Not set up",
    ErrorKind.MEMORY_FAULT: "Memory fault",
    ErrorKind.ALREADY_DONE: "Already done",
    ErrorKind.WRONG_ACTIVATION_CODE: "Wrong code",
    ErrorKind.TAMPERED: "Tampered",
}


def render(screen: Screen, profile: Profile) -> Dots:
    """The panel of a ``profile`` token while it shows ``screen``: shape (height, width), 1 where a dot is dark.

    Raises:
        Unrenderable: if the panel's fonts lack a character; screens of a token with this profile have none.
    """
    panel = _Panel(profile.display)
    if isinstance(screen, Off):
        return panel.dots
    _draw(screen, panel)
    panel.soft_keys(*soft_keys(screen))
    return panel.dots


def _draw(screen: Screen, panel: "_Panel") -> None:  # noqa: C901 - one case for each screen, a line or two long
    match screen:
        case Idle(model, serial, note):
            panel.title(model)
            panel.message(icons.READY, (note or "Ready", serial))
        case Menu(items, chosen):
            panel.title("Menu", f"{chosen + 1}/{len(items)}")
            panel.message(icons.READY, (items[chosen],))
        case Notice(title, sentences):
            panel.title(title)
            panel.message(icons.READY, sentences)
        case Typing(title, prompt, shown, wheel):
            panel.title(title)
            panel.typing(prompt, shown, wheel)
        case Locked(serial):
            panel.title("PIN locked")
            panel.message(icons.CROSS, ("Ask for an unlock code.", serial))
        case Declined(code):
            panel.title("Report fraud")
            panel.code(code, "Type it to decline")
        case Scanning():
            panel.title("Scan")
            panel.message(icons.VIEWFINDER, ("Hold the code in view of the camera.",))
        case Review(title, page, pages, lines):
            panel.title(title, f"{page}/{pages}")
            panel.lines(lines)
        case Code(code, purpose, already_shown):
            panel.title("Code", "shown before" if already_shown else "")
            panel.code(code, purpose)
        case Refused():
            panel.title("Refused")
            panel.message(icons.CROSS, ("Nothing was confirmed: no code.",))
        case Error(kind, sentence):
            panel.title(ERROR_TITLES[kind])
            panel.message(icons.WARNING, (sentence,))


def picture(screen: Screen, profile: Profile, scale: int | None = None) -> Dots:
    """The device in one's hand: its panel enlarged ``scale`` times, bezel and buttons; shape (h, w, 3), blue, green, red.

    Raises:
        Unrenderable: as ``render``.
    """
    return draw_device(render(screen, profile), profile, scale)


class _Panel:
    """The dots of one panel, and where its parts go."""

    def __init__(self, display: Display) -> None:
        self.display = display
        self.unit = display.unit
        self.dots: Dots = np.zeros((display.height, display.width), np.uint8)
        self._top = display.bar_height + self.unit

    def title(self, text: str, corner: str = "") -> None:
        """A dark bar with ``text`` at the left and ``corner`` at the right."""
        font = load_font(self.display.title_font)
        self.dots[: self.display.bar_height] = 1
        self._write(text, font, self.unit // 2, 2 * self.unit)
        self._write(corner, font, self.unit // 2, self.display.width - 2 * self.unit - len(corner) * font.width)

    def soft_keys(self, left: str, right: str) -> None:
        """The words above the two buttons, each in a dark box."""
        font = load_font(self.display.title_font)
        top = self.display.height - self.display.bar_height
        for word, at_right in ((left, False), (right, True)):
            width = len(word) * font.width + 4 * self.unit
            start = self.display.width - width if at_right else 0
            if word:
                self.dots[top:, start : start + width] = 1
                self._write(word, font, top + self.unit // 2, start + 2 * self.unit)

    def lines(self, lines: tuple[Line, ...]) -> None:
        """The lines of a review page; a small arrow stands behind a word that goes on in the next line."""
        y, before = self._top, None
        for line in lines:
            if before is not None and starts_block(before, line):
                y += 2 * self.unit
            font = load_font(font_of(line.style, self.display))
            self._write(line.text, font, y, 2 * self.unit)
            if line.broken:
                mark = _scaled(icons.icon(icons.GOES_ON), (self.unit + 1) // 2)
                self._stamp(
                    mark, y + (font.height - mark.shape[0]) // 2, self.display.width - mark.shape[1] - self.unit
                )
            y, before = y + font.height, line

    def code(self, code: str, purpose: str) -> None:
        """The big digits, and below them what they are for, both in the middle."""
        digits = _enlarged(load_font(self.display.code_font).draw(code), self.display.code_scale)
        roomy = len(purpose) <= self.display.columns(self.display.value_font)
        font = load_font(self.display.value_font if roomy else self.display.label_font)
        free = self.display.body_height - digits.shape[0] - font.height
        y = self._top + free // 3
        self._stamp(digits, y, (self.display.width - digits.shape[1]) // 2)
        y += digits.shape[0] + free // 3
        self._write(purpose, font, y, (self.display.width - len(purpose) * font.width) // 2)

    def typing(self, prompt: str, shown: str, wheel: str) -> None:
        """What to type, what was typed, and the position of the wheel in a dark box."""
        label = load_font(self.display.label_font)
        y = self._top
        for part, _ in wrap(prompt, (self.display.width - 4 * self.unit) // label.width):
            self._write(part, label, y, 2 * self.unit)
            y += label.height
        font = load_font(self.display.value_font)
        y = max(y, self._top + (self.display.body_height - font.height) // 2) + self.unit
        self._write(shown, font, y, 2 * self.unit)
        if wheel:
            left = (3 * self.unit) + len(shown) * font.width
            self.dots[y - self.unit : y + font.height, left - self.unit : left + font.width + self.unit] = 1
            self._write(wheel, font, y, left)

    def message(self, art: str, paragraphs: tuple[str, ...]) -> None:
        """An icon at the left and ``paragraphs`` beside it, in the middle of the body, as large as they fit."""
        drawing = _scaled(icons.icon(art), self.unit)
        left = 4 * self.unit + drawing.shape[1] + 4 * self.unit
        middle = self._top + self.display.body_height // 2
        self._stamp(drawing, middle - drawing.shape[0] // 2, 4 * self.unit)
        for style in (Style.VALUE, Style.LABEL):
            font = load_font(font_of(style, self.display))
            columns = (self.display.width - left - self.unit) // font.width
            words = [part for paragraph in paragraphs for part, _ in wrap(paragraph, columns)]
            if len(words) * font.height <= self.display.body_height:
                break
        y = middle - len(words) * font.height // 2
        for row, part in enumerate(words):
            self._write(part, font, y + row * font.height, left)

    def _write(self, text: str, font: Font, y: int, x: int) -> None:
        """Text in the other colour than the ground that it stands on."""
        missing = font.missing(text)
        if missing:
            raise Unrenderable(missing)
        self._stamp(font.draw(text), y, x)

    def _stamp(self, drawing: Dots, y: int, x: int) -> None:
        """Turn the dots under the ink over. What sticks out is cut off."""
        ground = self.dots[y : y + drawing.shape[0], x : x + drawing.shape[1]]
        ground ^= drawing[: ground.shape[0], : ground.shape[1]]


def _scaled(drawing: Dots, scale: int) -> Dots:
    return drawing.repeat(scale, axis=0).repeat(scale, axis=1)


def _enlarged(drawing: Dots, scale: int) -> Dots:
    """Letters at ``scale`` times their size, with the steps of slanted strokes rounded (the Scale2x rule, twice for 4)."""
    while scale % 2 == 0:
        drawing, scale = _doubled(drawing), scale // 2
    return _scaled(drawing, scale)


def _doubled(drawing: Dots) -> Dots:
    """Each dot becomes four; a corner takes the colour of its two neighbours where these agree and the others do not."""
    padded = np.pad(drawing, 1)
    up, down, left, right = padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]
    doubled = _scaled(drawing, 2)
    rounded = (up != down) & (left != right)
    for row, column, above, beside in ((0, 0, up, left), (0, 1, up, right), (1, 0, down, left), (1, 1, down, right)):
        corner = doubled[row::2, column::2]
        corner[...] = np.where(rounded & (above == beside), above, drawing)
    return doubled
