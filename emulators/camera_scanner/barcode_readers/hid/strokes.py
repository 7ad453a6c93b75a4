"""What a keyboard wedge types for a text."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from emulators.camera_scanner.barcode_readers.hid.layout import (
    KEYPAD_DIGITS,
    Layout,
    Modifier,
    Stroke,
    load_layout,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Typing(Enum):
    """How characters become keys. The names of readers' settings for it differ; each of these is among them."""

    KEYS = "keys"
    """The keys of the layout. What it has no key for is left out (so most readers do, from memory)."""
    KEYS_AND_ALT_CODES = "keys-and-alt-codes"
    """The keys of the layout, and Alt with a number on the keypad for the rest."""
    ALT_CODES = "alt-codes"
    """Alt with a number for everything: any layout of a Windows host is right, and no other host understands it.
    Zebra: "emulate keypad" (from memory); Worth Data P11/12 manual, page 4-2, has it for single characters."""
    KEYS_AND_CONTROL = "keys-and-control"
    """The keys of the layout, and control characters as Ctrl with a letter: GS as Ctrl+]. So in the Wasp WLS 8400
    manual, table 5-2; Newland calls it Ctrl+ASCII mode (from memory)."""


_CONTROL_LETTERS = "@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_"


def type_text(text: str, layout: Layout, typing: Typing = Typing.KEYS) -> tuple[Stroke, ...]:
    """The strokes for ``text`` on a keyboard with ``layout``."""
    return tuple(stroke for character in text for stroke in _type(character, layout, typing))


def _type(character: str, layout: Layout, typing: Typing) -> tuple[Stroke, ...]:
    keys = layout.strokes.get(character, ())
    if typing is Typing.ALT_CODES and character not in "\r\n\t\x1b\b":
        return tuple(_alt_code(character))
    if not keys and typing is Typing.KEYS_AND_ALT_CODES:
        return tuple(_alt_code(character))
    if not keys and typing is Typing.KEYS_AND_CONTROL and ord(character) < len(_CONTROL_LETTERS):
        # Programs look at the place of the key, and that is the one of an American keyboard.
        (stroke,) = load_layout("us").strokes[_CONTROL_LETTERS[ord(character)].lower()]
        return (Stroke(stroke.key, stroke.modifiers | Modifier.CTRL),)
    return keys


def _alt_code(character: str) -> Iterator[Stroke]:
    """Alt with 0 and three digits, which is Windows' code page 1252."""
    for byte in character.encode("cp1252", errors="ignore"):
        *first, last = (KEYPAD_DIGITS[int(digit)] for digit in f"{byte:04}")
        yield from (Stroke(key, Modifier.ALT, holds=Modifier.ALT) for key in first)
        yield Stroke(last, Modifier.ALT)
