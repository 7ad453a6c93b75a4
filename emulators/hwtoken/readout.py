"""A screen for those who compare: its words, and a hash of its dots."""

import hashlib
from collections.abc import Iterator

from emulators.hwtoken import defects, seven_segment
from emulators.hwtoken.defects import Defects
from emulators.hwtoken.display import ERROR_TITLES, render
from emulators.hwtoken.profile import Profile, SevenSegment
from emulators.hwtoken.screens import (
    Code,
    Declined,
    Error,
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
    soft_keys,
)


def read_text(screen: Screen, profile: Profile) -> tuple[str, ...]:
    """The words on the panel from top to bottom, without the two above the keys; nothing while it is dark."""
    if isinstance(profile.display, SevenSegment):
        text = seven_segment.text_of(screen, profile.display.digits).strip()
        return (text,) if text else ()
    return tuple(_lines(screen))


def screen_hash(screen: Screen, profile: Profile, spoilt: Defects = defects.NONE) -> str:
    """SHA-256 over width and height (2 bytes each) and the dots (a byte each) of the panel, in hex.

    It is the same for the same picture on every machine, and changes with each dot.
    """
    dots = render(screen, profile, spoilt)
    height, width = dots.shape
    return hashlib.sha256(width.to_bytes(2) + height.to_bytes(2) + dots.tobytes()).hexdigest()


def read_keys(screen: Screen) -> tuple[str, str]:
    """The words above CANCEL and OK."""
    return soft_keys(screen)


def _lines(screen: Screen) -> Iterator[str]:  # noqa: C901, PLR0912 - one case for each screen, a line long
    match screen:
        case Off():
            return
        case Idle(model, serial, note):
            yield from (model, note or "Ready", serial)
        case Menu(items, chosen, title):
            yield from (title, items[chosen])
        case Notice(title, sentences):
            yield from (title, *sentences)
        case Typing(title, prompt, shown, wheel):
            yield from (title, prompt, shown + (f"[{wheel}]" if wheel else ""))
        case Locked(serial):
            yield from ("PIN locked", serial)
        case Scanning():
            yield "Scan"
        case Review(title, page, pages, lines):
            yield from (f"{title} {page}/{pages}", *(line.text for line in lines))
        case Code(code, purpose, already_shown):
            yield from ("Code", *(("shown before",) if already_shown else ()), code, purpose)
        case Declined(code):
            yield from ("Report fraud", code)
        case Waiting(sentence):
            yield from ("Network", sentence)
        case Refused():
            yield "Refused"
        case Error(kind, sentence):
            yield from (ERROR_TITLES[kind], sentence)
