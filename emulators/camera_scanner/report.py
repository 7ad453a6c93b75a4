"""A read as people and programs are told about it; the bytes arrive whole in either form."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emulators.camera_scanner.decoders import Read


def scan_report(reads: Iterable[Read]) -> list[dict[str, Any]]:
    """``reads`` as values for JSON: the bytes in base64, and as text only where they are valid UTF-8."""
    return [
        {
            "data_base64": base64.b64encode(read.data).decode("ascii"),
            "text": _text(read.data),
            "symbology": read.symbology,
            "micro": read.micro,
            "version": read.version,
            "error_correction": read.error_correction,
            "corners": [list(corner) for corner in read.corners],
            "decoder": read.decoder,
            "stage": read.stage,
            "milliseconds": round(read.milliseconds, 3),
        }
        for read in reads
    ]


def printable(data: bytes, encoding: str = "utf-8") -> str:
    r"""``data`` for a terminal: text as it is, all else escaped (``\x1b``, ``\xff``, ``\u202e``, ``\\``), invertibly.

    A code cannot move the cursor, colour the screen or turn the direction of writing. What the terminal's ``encoding``
    lacks is escaped too.
    """
    return "".join(_shown(character, encoding) for character in data.decode("utf-8", "surrogateescape"))


def describe(read: Read, *, timed: bool = True) -> str:
    """What was read and how, in a few words: "QR 7-M, zxing-cpp, half-size, 3.1 ms", without the time unless ``timed``."""
    size = "" if read.version is None else f" {read.version}"
    level = "" if read.error_correction is None else f"-{read.error_correction}"
    stage = "" if read.stage == "direct" else f", {read.stage}"
    took = f", {read.milliseconds:.1f} ms" if timed else ""
    return f"{'Micro ' * read.micro}QR{size}{level}, {read.decoder}{stage}{took}"


def _text(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _shown(character: str, encoding: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, in Python's disguise
        return f"\\x{code - 0xDC00:02x}"
    if character == "\\":
        return "\\\\"
    if character.isprintable() and character.encode(encoding, "ignore"):
        return character
    # From 0x80 on "\x" would be mistaken for a byte that is no UTF-8.
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
