"""The shared library zbar, where it is installed, bound so that it hands over bytes as they are.

zbar takes bytes above 0x7f for text and transcodes them, unless ``ZBAR_CFG_BINARY`` is set, which the Python packages
around it cannot do. Libraries older than 0.23.1 do not know that setting and are not used. One limit remains, which a
reader may know by ``Read.decoder``: a symbol that announces a character set (ECI) arrives transcoded to UTF-8.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image

_QR_CODE = 64  # zbar_symbol_type_t
_CFG_ENABLE, _CFG_BINARY = 0, 4  # zbar_config_t
_FORMAT_Y800 = int.from_bytes(b"Y800", "little")


class Symbol(NamedTuple):
    """A QR code that zbar found in a gray picture."""

    data: bytes
    symbology: str
    """AIM identifier: "]Q1", or "]Q3" and "]Q5" for FNC1 in first and second position."""
    points: tuple[tuple[float, float], ...]
    """Four corners in zbar's order: top left, bottom left, bottom right, top right of the symbol."""


def find_symbols(gray: Image) -> tuple[Symbol, ...]:
    """All QR codes that zbar finds in ``gray`` (height, width); none where zbar is missing or too old."""
    library = _library()
    if library is None:
        return ()
    pixels = np.ascontiguousarray(gray)
    scanner, image = library.zbar_image_scanner_create(), library.zbar_image_create()
    try:
        _configure(library, scanner)
        library.zbar_image_set_format(image, _FORMAT_Y800)
        library.zbar_image_set_size(image, pixels.shape[1], pixels.shape[0])
        library.zbar_image_set_data(image, pixels.ctypes.data, pixels.nbytes, None)
        library.zbar_scan_image(scanner, image)
        return tuple(_symbols(library, image))
    finally:
        library.zbar_image_destroy(image)
        library.zbar_image_scanner_destroy(scanner)


def available() -> bool:
    """Whether zbar is installed and new enough to be exact."""
    return _library() is not None


def _configure(library: ctypes.CDLL, scanner: int) -> bool:
    """Only QR codes, only bytes, and no word to the system bus; whether the library knows these settings."""
    library.zbar_image_scanner_request_dbus(scanner, 0)
    library.zbar_image_scanner_set_config(scanner, 0, _CFG_ENABLE, 0)
    library.zbar_image_scanner_set_config(scanner, _QR_CODE, _CFG_ENABLE, 1)
    return bool(library.zbar_image_scanner_set_config(scanner, _QR_CODE, _CFG_BINARY, 1) == 0)


def _symbols(library: ctypes.CDLL, image: int) -> list[Symbol]:
    found = []
    symbol = library.zbar_image_first_symbol(image)
    while symbol:
        count = library.zbar_symbol_get_loc_size(symbol)
        if library.zbar_symbol_get_type(symbol) == _QR_CODE and count == 4:
            data = ctypes.string_at(library.zbar_symbol_get_data(symbol), library.zbar_symbol_get_data_length(symbol))
            points = tuple(
                (float(library.zbar_symbol_get_loc_x(symbol, i)), float(library.zbar_symbol_get_loc_y(symbol, i)))
                for i in range(count)
            )
            fnc1 = library.zbar_symbol_get_modifiers(symbol)
            found.append(Symbol(data, "]Q3" if fnc1 & 1 else "]Q5" if fnc1 & 2 else "]Q1", points))
        symbol = library.zbar_symbol_next(symbol)
    return found


@functools.cache
def _library() -> ctypes.CDLL | None:
    """The shared library with its signatures declared, or None where it is missing or lacks what is needed."""
    path = ctypes.util.find_library("zbar")
    if path is None:
        return None
    pointer, whole, word = ctypes.c_void_p, ctypes.c_int, ctypes.c_uint
    try:
        library = ctypes.CDLL(path)
        for name, result, arguments in (
            ("zbar_image_scanner_create", pointer, []),
            ("zbar_image_scanner_destroy", None, [pointer]),
            ("zbar_image_scanner_request_dbus", whole, [pointer, whole]),
            ("zbar_image_scanner_set_config", whole, [pointer, whole, whole, whole]),
            ("zbar_scan_image", whole, [pointer, pointer]),
            ("zbar_image_create", pointer, []),
            ("zbar_image_destroy", None, [pointer]),
            ("zbar_image_set_format", None, [pointer, ctypes.c_ulong]),
            ("zbar_image_set_size", None, [pointer, word, word]),
            ("zbar_image_set_data", None, [pointer, pointer, ctypes.c_ulong, pointer]),
            ("zbar_image_first_symbol", pointer, [pointer]),
            ("zbar_symbol_next", pointer, [pointer]),
            ("zbar_symbol_get_type", whole, [pointer]),
            ("zbar_symbol_get_data", pointer, [pointer]),
            ("zbar_symbol_get_data_length", word, [pointer]),
            ("zbar_symbol_get_modifiers", word, [pointer]),
            ("zbar_symbol_get_loc_size", word, [pointer]),
            ("zbar_symbol_get_loc_x", whole, [pointer, word]),
            ("zbar_symbol_get_loc_y", whole, [pointer, word]),
        ):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError):  # found but not loadable, or a library from before these functions
        return None
    scanner = library.zbar_image_scanner_create()
    try:
        return library if _configure(library, scanner) else None
    finally:
        library.zbar_image_scanner_destroy(scanner)
