"""What a host makes of a keyboard's strokes, and so what a reader's text becomes where the two differ about the layout."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from emulators.camera_scanner.barcode_readers.hid.layout import (
    CAPS_LOCK,
    KEYPAD_DIGITS,
    Layout,
    Modifier,
    Stroke,
    compose,
)
from emulators.camera_scanner.barcode_readers.hid.strokes import Typing, type_text

if TYPE_CHECKING:
    from collections.abc import Iterable


def typed_text(strokes: Iterable[Stroke], host: Layout, *, caps_lock: bool = False, alt_codes: bool = False) -> str:
    """What a program of a host with the layout ``host`` gets for ``strokes``.

    Args:
        strokes: what a keyboard has sent.
        host: what the host believes its layout to be.
        caps_lock: whether Caps Lock is on at first.
        alt_codes: whether digits of the keypad with Alt make a character, as on Windows; elsewhere they make none.

    A dead key before a character that it does not go with takes it along, as X11 and Wayland do; Windows writes both.
    Keys with Ctrl or Alt are commands to a program, and type nothing.
    """
    typed: list[str] = []
    accent = ""
    alt_digits = ""
    for stroke in strokes:
        if stroke.modifiers & Modifier.ALT and stroke.key in KEYPAD_DIGITS:
            alt_digits += str(KEYPAD_DIGITS.index(stroke.key))
            if not stroke.holds:
                if alt_codes:
                    typed.append(bytes((int(alt_digits) & 0xFF,)).decode("cp1252", errors="ignore"))
                alt_digits = ""
            continue
        if stroke.key == CAPS_LOCK:
            caps_lock = not caps_lock
            continue
        character = host.characters.get(stroke, "")
        if unicodedata.combining(character or " "):
            accent = "" if accent else character
            continue
        if caps_lock:
            character = _capital(character, stroke, host)
        if accent and character:
            character = compose(accent, character) or ""
            accent = ""
        typed.append(character)
    return "".join(typed)


def _capital(character: str, stroke: Stroke, host: Layout) -> str:
    """What a key types with Caps Lock: the other one of a pair of letters, else its capital."""
    plain, shifted = (host.characters.get(Stroke(stroke.key, level), "") for level in (Modifier.NONE, Modifier.SHIFT))
    if plain.upper() == shifted != plain and stroke.modifiers in (Modifier.NONE, Modifier.SHIFT):
        return shifted if stroke.modifiers == Modifier.NONE else plain
    capital = "ẞ" if character == "ß" else character.upper()
    return capital if len(capital) == 1 else character


def mangled(text: str, reader: Layout, host: Layout, *, typing: Typing = Typing.KEYS, caps_lock: bool = False) -> str:
    """What arrives of ``text`` where a reader believes in one layout and its host in another."""
    return typed_text(type_text(text, reader, typing), host, caps_lock=caps_lock)


def survivors(text: str, reader: Layout, host: Layout) -> str:
    """The characters of ``text`` that arrive as they are, each alone."""
    return "".join(character for character in text if mangled(character, reader, host) == character)
