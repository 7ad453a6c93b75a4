"""CTAP2 canonical CBOR (CTAP 2.3 §8.1): a strict decoder for what hosts send, and an encoder for what the key answers.

There is exactly one accepted encoding of each value, so ``encode(decode(data)) == data`` for all data that is accepted.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from emulators.fido_authenticator.status import CtapError, Status

CborValue: TypeAlias = "int | bool | bytes | str | list[CborValue] | Mapping[Any, CborValue] | None"
"""What a request or response is made of; map keys are integers and text."""

MAX_DEPTH = 4
"""Maps and arrays may stand inside each other this deep, the outermost counted (CTAP 2.3 §8.1)."""

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP = range(6)
_SIMPLE: dict[int, CborValue] = {0xF4: False, 0xF5: True, 0xF6: None}
_SMALLEST = {24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}


def decode(data: bytes) -> CborValue:
    """The value that ``data`` encodes.

    Raises:
        CtapError: INVALID_CBOR if ``data`` is truncated, has trailing bytes or is not canonical (longer integers than
            needed, unsorted or repeated keys, indefinite lengths, tags, floats, invalid UTF-8, nested deeper than
            ``MAX_DEPTH``); CBOR_UNEXPECTED_TYPE if a map key is neither integer nor text.
    """
    try:
        value, end = _decode_at(data, 0, MAX_DEPTH)
    except (IndexError, UnicodeDecodeError) as error:
        raise CtapError(Status.INVALID_CBOR) from error
    if end != len(data):
        raise CtapError(Status.INVALID_CBOR)
    return value


def _decode_at(data: bytes, at: int, depth: int) -> tuple[CborValue, int]:
    initial = data[at]
    if initial >= 0xE0:
        if initial not in _SIMPLE:
            raise CtapError(Status.INVALID_CBOR)
        return _SIMPLE[initial], at + 1
    major, argument = initial >> 5, initial & 31
    at += 1
    if argument > 23:
        argument, at = _decode_argument(data, at, argument)
    if major == _UNSIGNED:
        return argument, at
    if major == _NEGATIVE:
        return -1 - argument, at
    if major in (_BYTES, _TEXT):
        end = at + argument
        if end > len(data):
            raise CtapError(Status.INVALID_CBOR)
        return (data[at:end] if major == _BYTES else data[at:end].decode()), end
    if major in (_ARRAY, _MAP):
        if depth == 0:
            raise CtapError(Status.INVALID_CBOR)
        return (_decode_array if major == _ARRAY else _decode_map)(data, at, argument, depth - 1)
    raise CtapError(Status.INVALID_CBOR)  # a tag


def _decode_argument(data: bytes, at: int, info: int) -> tuple[int, int]:
    """The 1, 2, 4 or 8 bytes that follow an initial byte whose low bits are ``info``."""
    if info > 27:
        raise CtapError(Status.INVALID_CBOR)
    end = at + (1 << (info - 24))
    argument = int.from_bytes(data[at:end])
    if end > len(data) or argument < _SMALLEST[info]:
        raise CtapError(Status.INVALID_CBOR)
    return argument, end


def _decode_array(data: bytes, at: int, count: int, depth: int) -> tuple[CborValue, int]:
    items: list[CborValue] = []
    for _ in range(count):
        item, at = _decode_at(data, at, depth)
        items.append(item)
    return items, at


def _decode_map(data: bytes, at: int, count: int, depth: int) -> tuple[CborValue, int]:
    entries: dict[int | str, CborValue] = {}
    previous = b""
    for _ in range(count):
        start = at
        key, at = _decode_at(data, at, 0)
        if type(key) is not int and type(key) is not str:
            raise CtapError(Status.CBOR_UNEXPECTED_TYPE)
        # Heads are the shortest possible, so plain byte order is the order by type, then length, then value.
        encoded = data[start:at]
        if encoded <= previous:
            raise CtapError(Status.INVALID_CBOR)
        previous = encoded
        entries[key], at = _decode_at(data, at, depth)
    return entries, at


def encode(value: Any) -> bytes:
    """The canonical encoding of ``value``: integers, booleans, text, byte strings, None, sequences and mappings of these.

    No CTAP value is None, but what a host signs may hold one, and is encoded anew to check the signature.

    Raises:
        TypeError: if ``value`` is, or holds, anything else.
    """
    encoder = _ENCODERS.get(type(value))
    if encoder is None:
        # Enumerations, read-only mappings and the like: rare, so looked at only here.
        encoder = next((found for kind, found in _ABSTRACT if isinstance(value, kind)), None)
    if encoder is None:
        raise TypeError(f"CBOR holds integers, text, bytes, arrays and maps; found {type(value).__name__}")
    return encoder(value)


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes((major << 5 | argument,))
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * size):
            return bytes((major << 5 | info,)) + argument.to_bytes(size)
    raise TypeError(f"CBOR integers have at most 64 bits; found {argument}")


def _encode_int(value: int) -> bytes:
    return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)


def _encode_bool(value: bool) -> bytes:  # noqa: FBT001 - the value to encode, not a switch
    return b"\xf5" if value else b"\xf4"


def _encode_bytes(value: bytes) -> bytes:
    return _head(_BYTES, len(value)) + value


def _encode_text(value: str) -> bytes:
    encoded = value.encode()
    return _head(_TEXT, len(encoded)) + encoded


def _encode_array(value: list[Any] | tuple[Any, ...]) -> bytes:
    return _head(_ARRAY, len(value)) + b"".join(map(encode, value))


def _encode_map(value: Mapping[Any, Any]) -> bytes:
    entries = sorted((encode(key), encode(item)) for key, item in value.items())
    return _head(_MAP, len(entries)) + b"".join(key + item for key, item in entries)


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    int: _encode_int,
    bool: _encode_bool,
    bytes: _encode_bytes,
    str: _encode_text,
    list: _encode_array,
    tuple: _encode_array,
    dict: _encode_map,
    type(None): lambda _: b"\xf6",
}
_ABSTRACT: tuple[tuple[type, Callable[[Any], bytes]], ...] = (
    (int, _encode_int),
    (str, _encode_text),
    (Mapping, _encode_map),
)
