"""What a Linux video device says it can deliver, asked by ioctl (Video4Linux2 API, linux/videodev2.h)."""

from __future__ import annotations

import fcntl
import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_QUERYCAP, _CAPABILITY = 0x80685600, struct.Struct("=16s32s32sIII12x")
_ENUM_FMT, _FMTDESC = 0xC0405602, struct.Struct("=III32sII12x")
_ENUM_FRAMESIZES, _FRMSIZE = 0xC02C564A, struct.Struct("=III6I8x")
_VIDEO_CAPTURE = 1  # v4l2_buf_type, and the bit in the capabilities
_DISCRETE = 1
_MOST = 64
"""So many formats, and sizes of each, are asked for; a device that names more goes round in circles."""

Size = tuple[int, int]


def picture_sizes(
    device: Path, ioctl: Callable[[int, int, bytearray], int] = fcntl.ioctl
) -> dict[str, tuple[Size, ...]]:
    """Each pixel format ("MJPG", "YUYV") with the sizes (width, height) that ``device`` can deliver; of a range, its ends.

    Empty for what delivers no pictures, or cannot be asked.
    """
    try:
        file = os.open(device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return {}
    try:
        capability = _asked(ioctl, file, _QUERYCAP, _CAPABILITY, b"", b"", b"", 0, 0, 0)
        if capability is None or not capability[5] & _VIDEO_CAPTURE:
            return {}
        found: dict[str, tuple[Size, ...]] = {}
        for index in range(_MOST):
            format_ = _asked(ioctl, file, _ENUM_FMT, _FMTDESC, index, _VIDEO_CAPTURE, 0, b"", 0, 0)
            if format_ is None:
                break
            code = format_[4]
            name = "".join(chr(byte) if 32 < byte < 127 else "?" for byte in code.to_bytes(4, "little"))
            found[name] = _sizes(ioctl, file, code)
        return found
    finally:
        os.close(file)


def _sizes(ioctl: Callable[[int, int, bytearray], int], file: int, code: int) -> tuple[Size, ...]:
    sizes: list[Size] = []
    for index in range(_MOST):
        answer = _asked(ioctl, file, _ENUM_FRAMESIZES, _FRMSIZE, index, code, 0, *(0,) * 6)
        if answer is None:
            break
        if answer[2] != _DISCRETE:
            least_width, most_width, _, least_height, most_height, _ = answer[3:9]
            return ((least_width, least_height), (most_width, most_height))
        sizes.append((answer[3], answer[4]))
    return tuple(dict.fromkeys(sizes))


def _asked(
    ioctl: Callable[[int, int, bytearray], int], file: int, request: int, shape: struct.Struct, *values: bytes | int
) -> tuple[int, ...] | None:
    """What the device answers; None where it has no answer."""
    buffer = bytearray(shape.pack(*values))
    try:
        ioctl(file, request, buffer)
    except OSError:
        return None
    return shape.unpack(buffer)
