"""Base45 (RFC 9285) with one spelling for each byte string, for texts that are authenticated or compared."""

import base45  # type: ignore[import-untyped] # base45 ships no types


def encode(data: bytes) -> str:
    """``data`` in the 45 characters of a QR code's alphanumeric mode. Space is one of them: never trim the text."""
    return bytes(base45.b45encode(data)).decode("ascii")


def decode(text: bytes) -> bytes:
    """The bytes that ``text`` stands for.

    Raises:
        ValueError: where ``text`` is not exactly what ``encode`` makes: another character (lower case, a line end), an
            impossible length, or a group that stands for more than its bytes hold.
    """
    data = bytes(base45.b45decode(text))
    if base45.b45encode(data) != text:  # the library, too, may learn to be lenient
        raise ValueError("not the one base45 spelling of its bytes")
    return data
