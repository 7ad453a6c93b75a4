"""What Linux's HID driver makes of a boot keyboard's reports: its table of keys, and what has changed between two reports."""

from emulators.camera_scanner.barcode_readers.hid.layout import Stroke

# drivers/hid/hid-input.c, hid_keyboard: the usages that a barcode reader sends, as the key numbers of
# linux/input-event-codes.h.
_ROWS = {
    0x04: "30 48 46 32 18 33 34 35 23 36 37 38 50 49 24 25 16 19 31 20 22 47 17 45 21 44 2 3 4 5 6 7 8 9 10 11",
    0x28: "28 1 14 15 57 12 13 26 27 43 43 39 40 41 51 52 53 58",
    0x53: "69",
    0x59: "79 80 81 75 76 77 71 72 73 82",
    0x64: "86",
    0xE0: "29 42 56 125 97 54 100 126",
}
KEYS = {first + offset: int(key) for first, keys in _ROWS.items() for offset, key in enumerate(keys.split())}


def key_events(strokes: tuple[Stroke, ...]) -> list[tuple[int, bool]]:
    """The keys that are pressed (True) and released for ``strokes``, in order."""
    events = []
    held: set[int] = set()
    for stroke in strokes:
        for modifiers, key in ((stroke.modifiers, {stroke.key}), (stroke.holds, set[int]())):
            now = {0xE0 + bit for bit in range(8) if modifiers >> bit & 1} | key
            # Modifiers stand first in the report, and so they change first.
            events += [(KEYS[usage], False) for usage in sorted(held - now, reverse=True)]
            events += [(KEYS[usage], True) for usage in sorted(now - held, reverse=True)]
            held = now
    return events
