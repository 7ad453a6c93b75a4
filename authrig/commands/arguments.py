"""Values of options, each refused with what was expected."""

import re
from argparse import ArgumentTypeError

_HIGHEST_PORT = 0xFFFF


def address(text: str) -> tuple[str, int]:
    """HOST:PORT, an IPv6 address in brackets."""
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdecimal()) or int(port) > _HIGHEST_PORT:
        raise ArgumentTypeError(f"expected HOST:PORT, found {text}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def seconds(text: str) -> float:
    """A time above 0."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < 1e6:
        raise ArgumentTypeError(f"expected seconds above 0, found {text}")
    return found


def usb_id(text: str) -> tuple[int, int]:
    """VVVV:PPPP, as ``lsusb`` prints them."""
    found = re.fullmatch(r"([0-9a-fA-F]{4}):([0-9a-fA-F]{4})", text)
    if found is None:
        raise ArgumentTypeError(f"expected two hexadecimal numbers as lsusb prints them, VVVV:PPPP, found {text}")
    return int(found[1], 16), int(found[2], 16)
