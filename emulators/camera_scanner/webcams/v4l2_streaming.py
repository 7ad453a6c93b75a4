"""Frames into a V4L2 output through buffers that it shares with us (VIDIOC_REQBUFS, QBUF, DQBUF, STREAMON)."""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Ioctl: TypeAlias = "Callable[[int, int, bytearray], object]"

_REQUEST = struct.Struct("=III8x")
_BUFFER = struct.Struct("@5I2l4I2IL3I0L")
_TYPE = struct.Struct("=I")
_OUTPUT, _MAPPED, _FIELD_NONE = 2, 1, 1
_COUNT = 3


def _code(number: int, size: int, direction: int = 3) -> int:
    """An ioctl's number: 3 reads and writes, 1 writes."""
    return direction << 30 | size << 16 | ord("V") << 8 | number


_REQBUFS, _STREAMON = _code(8, _REQUEST.size), _code(18, _TYPE.size, 1)
_QUERYBUF, _QBUF, _DQBUF = (_code(number, _BUFFER.size) for number in (9, 15, 17))


class SharedBuffers:
    """Buffers of the output ``file``, which has a format; what is put into one is shown.

    Raises:
        OSError: as the driver refuses.
    """

    def __init__(self, file: int, ioctl: Ioctl) -> None:
        self._file = file
        self._ioctl = ioctl
        raw = bytearray(_REQUEST.pack(_COUNT, _OUTPUT, _MAPPED))
        ioctl(file, _REQBUFS, raw)
        count = _REQUEST.unpack(raw)[0]
        self._maps: list[mmap.mmap] = []
        for index in range(count):
            *_, offset, length, _, _ = self._call(_QUERYBUF, index)
            self._maps.append(mmap.mmap(file, length, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=offset))
        self._free = list(range(count))
        self._started = False

    def put(self, frame: bytes) -> None:
        """Show ``frame`` as soon as its turn comes; waits while all buffers are full.

        Raises:
            OSError: as the driver refuses.
        """
        index = self._free.pop() if self._free else int(self._call(_DQBUF, 0)[0])
        self._maps[index][: len(frame)] = frame
        self._call(_QBUF, index, len(frame))
        if not self._started:
            self._ioctl(self._file, _STREAMON, bytearray(_TYPE.pack(_OUTPUT)))
            self._started = True

    def close(self) -> None:
        """Let go of the buffers."""
        for one in self._maps:
            one.close()

    def _call(self, request: int, index: int, used: int = 0) -> tuple[int, ...]:
        raw = bytearray(_BUFFER.pack(index, _OUTPUT, used, 0, _FIELD_NONE, 0, 0, 0, 0, 0, 0, 0, _MAPPED, 0, 0, 0, 0))
        self._ioctl(self._file, request, raw)
        return _BUFFER.unpack(raw)
