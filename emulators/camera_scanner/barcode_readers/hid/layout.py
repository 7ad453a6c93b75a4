"""Keyboard layouts: which keys type a character. They are data, one file each beside this module.

A keyboard sends places of keys, and its host makes characters of them; a reader that types must know which ones. Sources:
HID Usage Tables 1.5 §10 for the places, xkeyboard-config for the characters; tests compare each key with libxkbcommon.
"""

from __future__ import annotations

import tomllib
import unicodedata
from dataclasses import dataclass
from enum import IntFlag
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Modifier(IntFlag):
    """Bits of the first byte of a keyboard's report (HID 1.11 §8.3)."""

    NONE = 0
    CTRL = 0x01
    SHIFT = 0x02
    ALT = 0x04
    ALTGR = 0x40


@dataclass(frozen=True, slots=True)
class Stroke:
    """One key with what is held meanwhile; ``key`` is a usage of the page Keyboard (0x07)."""

    key: int
    modifiers: Modifier = Modifier.NONE
    holds: Modifier = Modifier.NONE
    """What stays held when the key is let go: Alt between the digits of an Alt code."""


_PLACES: Mapping[str, tuple[int, ...]] = {
    "digits": (0x35, *range(0x1E, 0x28), 0x2D, 0x2E),
    "upper": (0x14, 0x1A, 0x08, 0x15, 0x17, 0x1C, 0x18, 0x0C, 0x12, 0x13, 0x2F, 0x30),
    "home": (0x04, 0x16, 0x07, 0x09, 0x0A, 0x0B, 0x0D, 0x0E, 0x0F, 0x33, 0x34, 0x31),
    "lower": (0x64, 0x1D, 0x1B, 0x06, 0x19, 0x05, 0x11, 0x10, 0x36, 0x37, 0x38),
}
"""The keys of each row from left to right: ten fingers' rows of a keyboard with 105 keys."""
_LEVELS = {"plain": Modifier.NONE, "shift": Modifier.SHIFT, "altgr": Modifier.ALTGR}

ENTER, ESCAPE, BACKSPACE, TAB, SPACE = 0x28, 0x29, 0x2A, 0x2B, 0x2C
CAPS_LOCK, NUM_LOCK = 0x39, 0x53
KEYPAD_DIGITS = (0x62, *range(0x59, 0x62))
"""0 to 9."""
_EVERYWHERE = {" ": SPACE, "\r": ENTER, "\n": ENTER, "\t": TAB, "\x1b": ESCAPE, "\b": BACKSPACE}
"""Characters whose key is the same in every layout."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the keys of one keyboard mean to its host."""

    name: str
    xkb: str
    """What X11 and Wayland call it."""
    characters: Mapping[Stroke, str]
    """What each stroke types; a combining character is a dead key, which waits for the next one."""
    strokes: Mapping[str, tuple[Stroke, ...]]
    """What types each character: the least trouble, and through a dead key only where nothing else does."""


def layout_names() -> tuple[str, ...]:
    """All layouts, in alphabetical order."""
    folder = files(__package__) / "layouts"
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


@cache
def load_layout(name: str) -> Layout:
    """The layout that is called ``name``, as in ``layout_names``.

    Raises:
        ValueError: if there is none.
    """
    if name not in layout_names():
        raise ValueError(f"no keyboard layout {name!r}: expected one of {', '.join(layout_names())}")
    rows = tomllib.loads((files(__package__) / "layouts" / f"{name}.toml").read_text(encoding="utf-8"))
    characters = {Stroke(key): character for character, key in _EVERYWHERE.items() if character != "\n"}
    for row, places in _PLACES.items():
        for level, text in rows[row].items():
            for place, character in zip(places, text, strict=True):
                if character != " ":
                    characters[Stroke(place, _LEVELS[level])] = character
    return Layout(name, rows["xkb"], characters, _strokes(characters))


_LAST_LATIN = 0x17F
"""Letters with more than one accent and the like are beyond, and hosts differ about them."""


def _strokes(characters: Mapping[Stroke, str]) -> dict[str, tuple[Stroke, ...]]:
    """How each character is typed."""
    found: dict[str, tuple[Stroke, ...]] = {character: (Stroke(key),) for character, key in _EVERYWHERE.items()}
    dead: dict[str, Stroke] = {}
    for stroke, character in sorted(characters.items(), key=lambda item: item[0].modifiers):
        if unicodedata.combining(character):
            dead.setdefault(character, stroke)
        else:
            found.setdefault(character, (stroke,))
    for accent, stroke in dead.items():
        for base, (base_stroke, *more) in list(found.items()):
            composed = compose(accent, base)
            if composed is not None and not more and ord(composed) <= _LAST_LATIN:
                found.setdefault(composed, (stroke, base_stroke))
    return found


_ALONE = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "¯",
    "\u0306": "˘",
    "\u0307": "˙",
    "\u0308": '"',
    "\u0309": "\u0309",
    "\u030a": "°",
    "\u030b": "˝",
    "\u030c": "ˇ",
    "\u0323": "\u0323",
    "\u0327": "\u00b8",
    "\u0328": "\u02db",
}
"""What X11 and Wayland write for a dead key and a space; Windows writes the acute and the diaeresis themselves."""


def compose(accent: str, base: str) -> str | None:
    """What a dead key and the next character make together; None if they do not go together."""
    if base == " ":
        return _ALONE.get(accent)
    composed = unicodedata.normalize("NFC", base + accent)
    return composed if base.isalpha() and len(composed) == 1 else None
