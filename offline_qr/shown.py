"""Which characters of a text a reader would not see as they are: the ones that every protocol keeps off a display."""

import unicodedata

HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories that show nothing, change how others are shown, or break a line."""


def find_hidden(text: str) -> str | None:
    """The first such character and where it is, in words, or None. Which glyphs a font has is another question.

    Controls, line breaks, bidirectional overrides, zero-width, unassigned and private characters count; spaces of all
    widths do not.
    """
    for position, character in enumerate(text):
        category = unicodedata.category(character)
        if category in HIDDEN:
            return f"U+{ord(character):04X} ({category}) at {position}"
    return None
