"""A screen as dots: what ``render`` returns is the panel, dot for dot; ``picture`` is the device in one's hand."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulators.hwtoken import defects, icons, seven_segment
from emulators.hwtoken.casing import draw_device
from emulators.hwtoken.defects import Defects
from emulators.hwtoken.font import Font, load_font
from emulators.hwtoken.layout import Unrenderable, font_of, starts_block, wrap
from emulators.hwtoken.profile import Display, Profile, SevenSegment
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
    Waiting,
    soft_keys,
)

Dots = NDArray[np.uint8]
DECLINE_PURPOSE = "Type it to decline"

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
    ErrorKind.NO_ANSWER: "No answer",
}


def render(screen: Screen, profile: Profile, spoilt: Defects = defects.NONE) -> Dots:
    """The panel of a ``profile`` token while it shows ``screen``: shape (height, width), 1 where a dot is dark.

    Raises:
        Unrenderable: if the panel's fonts lack a character; screens of a token with this profile have none.
    """
    if isinstance(profile.display, SevenSegment):
        return spoilt.spoil(seven_segment.render(screen, profile.display, spoilt.stuck_segments))
    panel = _Panel(profile.display)
    if not isinstance(screen, Off):
        _draw(screen, panel)
        panel.soft_keys(*soft_keys(screen))
    return spoilt.spoil(panel.dots)


def _draw(screen: Screen, panel: "_Panel") -> None:  # noqa: C901 - one case for each screen, a line or two long
    match screen:
        case Idle(model, serial, note):
            panel.title(model)
            panel.message(icons.READY, (note or "Ready", serial))
        case Menu(items, chosen, title):
            panel.title(title, f"{chosen + 1}/{len(items)}")
            panel.list(items, chosen)
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
            panel.code(code, DECLINE_PURPOSE)
        case Scanning():
            panel.title("Scan")
            panel.message(icons.VIEWFINDER, ("Hold the code in view of the camera.",))
        case Review(title, page, pages, lines):
            panel.title(title, f"{page}/{pages}")
            panel.lines(lines)
        case Code(code, purpose, already_shown):
            panel.title("Code", "shown before" if already_shown else "")
            panel.code(code, purpose)
        case Waiting(sentence):
            panel.title("Network")
            panel.message(icons.READY, (sentence,))
        case Refused():
            panel.title("Refused")
            panel.message(icons.CROSS, ("Nothing was confirmed: no code.",))
        case Error(kind, sentence):
            panel.title(ERROR_TITLES[kind])
            panel.message(icons.WARNING, (sentence,))


def picture(screen: Screen, profile: Profile, scale: int | None = None, spoilt: Defects = defects.NONE) -> Dots:
    """The device in one's hand: its panel enlarged ``scale`` times, bezel and buttons; shape (h, w, 3), blue, green, red.

    Raises:
        Unrenderable: as ``render``.
    """
    return draw_device(render(screen, profile, spoilt), profile, scale, accent_of(screen, profile), spoilt.contrast)


@dataclass(frozen=True, slots=True, eq=False)
class CodeRow:
    """How a panel draws a code, for whoever reads it with a camera.

    ``glyphs`` are the ten digits as large as they are drawn, and ``box`` is where the row stands: left, top, right and
    bottom in dots of the panel.
    """

    glyphs: dict[str, Dots]
    box: tuple[int, int, int, int]


def code_row(screen: Code | Declined, profile: Profile) -> CodeRow:
    """Where and how the panel of a ``profile`` token draws the digits of ``screen``.

    Raises:
        TypeError: this model has no dots, as ``Profile.panel``.
        ValueError: the code takes two lines.
    """
    panel = _Panel(profile.panel)
    purpose = screen.purpose if isinstance(screen, Code) else DECLINE_PURPOSE
    font, scale, texts, y = panel.place_code(screen.code, purpose)
    if len(texts) > 1:
        raise ValueError(f"expected a code that fits one line of the {profile.name}, found {screen.code!r}")
    height, width = font.height * scale, len(texts[0]) * font.width * scale
    left = (profile.panel.width - width) // 2
    glyphs = {digit: _enlarged(font.glyph(digit), scale) for digit in "0123456789"}
    return CodeRow(glyphs, (left, y, left + width, y + height))


def accent_of(screen: Screen, profile: Profile) -> str | None:
    """The colour (``#rrggbb``) of the bars on a panel that has colours; None on others, and while it is dark."""
    accents = profile.look.accents
    if accents is None or isinstance(screen, Off):
        return None
    if isinstance(screen, Code):
        return accents.code
    return accents.warning if isinstance(screen, Error | Locked | Declined) else accents.usual


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
        """The big digits, and below them what they are for, both in the middle. A long code takes two lines."""
        font, scale, texts, y = self.place_code(code, purpose)
        for text in texts:
            line = _enlarged(font.draw(text), scale)
            self._stamp(line, y, (self.display.width - line.shape[1]) // 2)
            y += line.shape[0]
        purpose_font = self._purpose_font(purpose)
        free = self.display.body_height - purpose_font.height - len(texts) * font.height * scale
        text = self._fit(purpose, purpose_font)
        x = (self.display.width - len(text) * purpose_font.width) // 2
        self._write(text, purpose_font, y + free // 3, x)

    def place_code(self, code: str, purpose: str) -> tuple[Font, int, list[str], int]:
        """Font and scale of ``code``, its lines, and the row of dots where the first begins: above ``purpose``."""
        room = self.display.body_height - self._purpose_font(purpose).height
        font, scale, texts = self._set_code(code, room)
        return font, scale, texts, self._top + (room - len(texts) * font.height * scale) // 3

    def _purpose_font(self, purpose: str) -> Font:
        font = load_font(self.display.value_font)
        return font if len(purpose) <= self.display.columns(font.name) else load_font(self.display.label_font)

    def _set_code(self, code: str, room: int) -> tuple[Font, int, list[str]]:
        """``code`` as large as it fits: in one line, or in two that break between groups."""
        groups = code.split(" ")
        half = (len(groups) + 1) // 2
        two = [" ".join(groups[:half]), " ".join(groups[half:])] if len(groups) > 1 else [code]
        sizes = [(self.display.code_font, scale) for scale in range(self.display.code_scale, 0, -1)]
        for name, scale in [*sizes, (self.display.value_font, 1)]:
            font = load_font(name)
            for texts in ([code], two):
                width = max(len(text) for text in texts) * font.width * scale
                if width <= self.display.width and len(texts) * font.height * scale <= room:
                    return font, scale, texts
        raise AssertionError(f"expected a code that fits the panel, found one of {len(code)} characters")

    def _fit(self, text: str, font: Font) -> str:
        """A name that the user gave, as far as there is room and there are glyphs; nothing is confirmed by it."""
        known = _known(text, font)
        columns = self.display.columns(font.name)
        return known if len(known) <= columns else known[: columns - 3] + "..."

    def list(self, items: tuple[str, ...], chosen: int) -> None:
        """As many entries as there is room for, the chosen one in a dark bar."""
        font = load_font(self.display.value_font)
        rows = max(1, self.display.body_height // (font.height + self.unit))
        first = min(max(0, chosen - rows // 2), max(0, len(items) - rows))
        for row, text in enumerate(items[first : first + rows]):
            y = self._top + row * (font.height + self.unit)
            if first + row == chosen:
                self.dots[y : y + font.height] = 1
            self._write(self._fit(text, font), font, y, 2 * self.unit)

    def typing(self, prompt: str, shown: str, wheel: str) -> None:
        """What to type, what was typed, and the position of the wheel in a dark box."""
        label = load_font(self.display.label_font)
        font = load_font(self.display.value_font)
        y, rows = self._top, (self.display.body_height - font.height - self.unit) // label.height
        lines = [part for part, _ in wrap(prompt, (self.display.width - 4 * self.unit) // label.width)]
        for part in lines[:rows]:
            self._write(self._fit(part, label), label, y, 2 * self.unit)
            y += label.height
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
            words = [part for paragraph in paragraphs for part, _ in wrap(_known(paragraph, font), columns)]
            if len(words) * font.height <= self.display.body_height:
                break
        words = words[: self.display.body_height // font.height]
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


def _known(text: str, font: Font) -> str:
    """``text`` with a question mark for each character without a glyph; never for what is confirmed."""
    return "".join(character if character in font else "?" for character in text)


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
