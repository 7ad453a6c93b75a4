"""What may be sent to the control API, decoded strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from authrig.errors import RigError
from emulators.hwtoken.keys import Button

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image

MAX_BODY_BYTES = 8 << 20
MAX_SIDE = 4096
"""Pixels of a picture, each way."""
_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_PNG_HEADER_BYTES = 24


class BadRequestError(RigError):
    """What was sent is not what the call takes."""


class Press(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST press``."""

    button: Button
    held: bool = False


class Touch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST touch``: without ``on`` a tap."""

    on: bool | None = None


class Power(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST power``."""

    on: bool


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /login``."""

    code: str

    def __repr__(self) -> str:
        return "Login()"


_Body = TypeVar("_Body", Press, Touch, Power, Login)


def decode(body: bytes, into: type[_Body]) -> _Body:
    """The JSON in ``body``; an empty one is ``{}``.

    Raises:
        BadRequestError: if it is something else.
    """
    try:
        return msgspec.json.decode(body or b"{}", type=into)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequestError(f"{into.__name__.lower()}: {error}") from error


def decode_picture(body: bytes, content_type: str) -> Image:
    """The picture in ``body``: a PNG, or a text, which becomes a QR code.

    Raises:
        BadRequestError: if it is neither.
    """
    from authrig.pictures import picture_from_png, print_code  # noqa: PLC0415 - slow to import

    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/plain":
        if not body:
            raise BadRequestError("expected a text that fits into a QR code, found none")
        try:
            return picture_from_png(print_code(body.decode("utf-8")))
        except ValueError as error:
            raise BadRequestError(f"expected a text that fits into a QR code: {error}") from error
    if kind != "image/png":
        raise BadRequestError(f"expected image/png or text/plain, found {kind[:64] or 'no content type'}")
    width, height = int.from_bytes(body[16:20]), int.from_bytes(body[20:24])
    if not body.startswith(_PNG) or len(body) < _PNG_HEADER_BYTES:
        raise BadRequestError(f"expected a PNG, found {len(body)} bytes that are none")
    # Before it is decoded: few bytes can unfold to many pixels.
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise BadRequestError(f"expected a picture of 1 to {MAX_SIDE} pixels each way, found {width}x{height}")
    try:
        return picture_from_png(body)
    except RigError as error:
        raise BadRequestError(str(error)) from error
