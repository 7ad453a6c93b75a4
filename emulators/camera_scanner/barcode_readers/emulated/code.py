"""What a barcode reader is shown."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A code that can be read: a ``decoders.Read`` without how it was found."""

    data: bytes
    symbology: str = "]Q1"
    """AIM identifier (ISO/IEC 15424)."""
