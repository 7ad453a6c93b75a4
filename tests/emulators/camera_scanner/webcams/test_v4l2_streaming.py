import os
import struct
from collections import deque
from pathlib import Path

import pytest

from emulators.camera_scanner.webcams.v4l2_streaming import SharedBuffers

REQBUFS, QUERYBUF, QBUF, DQBUF, STREAMON = 0xC0145608, 0xC0585609, 0xC058560F, 0xC0585611, 0x40045612
PAGE = 4096


class FakeDriver:
    """Two buffers in a file; what is queued is shown at once, in order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.queued = deque[int]()
        self.shown = list[bytes]()
        self.calls = list[int]()

    def __call__(self, _: int, request: int, argument: bytearray) -> object:
        """One ioctl, with a v4l2_buffer as a 64-bit kernel lays it out."""
        self.calls.append(request)
        if request == REQBUFS:
            assert struct.unpack_from("=III", argument) == (3, 2, 1)
            struct.pack_into("=I", argument, 0, 2)
            return 0
        if request == STREAMON:
            assert struct.unpack("=I", argument) == (2,)
            return 0
        index, kind, used = struct.unpack_from("=III", argument)
        assert (kind, struct.unpack_from("=I", argument, 60)[0]) == (2, 1)
        if request == QUERYBUF:
            struct.pack_into("=QI", argument, 64, index * PAGE, PAGE)
        elif request == QBUF:
            assert index not in self.queued
            self.queued.append(index)
            self.shown.append(self.path.read_bytes()[index * PAGE : index * PAGE + used])
        else:
            assert request == DQBUF
            struct.pack_into("=I", argument, 0, self.queued.popleft())
        return 0


@pytest.fixture
def driver(tmp_path: Path) -> FakeDriver:
    """A driver, and the file that stands for its memory."""
    path = tmp_path / "memory"
    path.write_bytes(bytes(2 * PAGE))
    return FakeDriver(path)


def test_frames_are_shown_in_order_and_buffers_used_again(driver: FakeDriver) -> None:
    """A buffer is filled only while the driver does not have it; the stream is started once."""
    file = os.open(driver.path, os.O_RDWR)
    try:
        buffers = SharedBuffers(file, driver)
        frames = [bytes([number]) * (1000 + number) for number in range(7)]
        for frame in frames:
            buffers.put(frame)
        buffers.close()
    finally:
        os.close(file)
    assert driver.shown == frames
    assert driver.calls.count(STREAMON) == 1
    assert driver.calls.count(DQBUF) == 5
