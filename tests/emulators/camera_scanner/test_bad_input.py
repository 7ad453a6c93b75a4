"""What is corrupt, vast or hostile: a sentence or nothing read, and no open file, thread or memory left behind."""

import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from emulators.camera_scanner.decoders import read_codes
from emulators.camera_scanner.frames import Image, ImageError, SourceError, UnreadableFile
from emulators.camera_scanner.sources.any_file import open_file
from emulators.camera_scanner.sources.images import load_image
from tests.codes import read_patiently
from tests.leaks import nothing_left_open

LATER = 60.0


def png(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG of gray pixels that claims this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


BOMB = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
from emulators.camera_scanner.sources.images import load_image
from emulators.camera_scanner.frames import UnreadableFile
from pathlib import Path
from tests.leaks import nothing_left_open
try:
    load_image(Path(sys.argv[1]))
except UnreadableFile as error:
    print(error)
"""


@pytest.mark.parametrize("side", [20_000, 50_000])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(side: int, tmp_path: Path) -> None:
    """Billions of pixels in a small file are a sentence, in a process that could not hold them."""
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(png(side, side, bytes(1_000_000)))
    done = subprocess.run(
        [sys.executable, "-c", BOMB, str(bomb)],
        capture_output=True,
        text=True,
        timeout=LATER,
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.stdout == f"{bomb} is a picture of {side}x{side}: expected up to 64000000 pixels\n", done.stderr


def test_pictures_and_videos_cut_anywhere_end_by_name(draw: Callable[..., Image], tmp_path: Path) -> None:
    """Whatever is left of the file: frames that are pictures, then the end or a named condition; and no file stays open."""
    packed = cv2.imencode(".png", draw("cut"))[1].tobytes()
    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), 10, (116, 116))
    for _ in range(6):
        writer.write(cv2.cvtColor(draw("cut", scale=4), cv2.COLOR_GRAY2BGR))
    writer.release()
    with nothing_left_open():
        for name, whole in (("cut.png", packed), ("cut.avi", clip.read_bytes())):
            for share in (0.0, 0.02, 0.3, 0.6, 0.95):
                path = tmp_path / name
                path.write_bytes(whole[: int(share * len(whole))])
                read_all_or_refuse(path)


def read_all_or_refuse(path: Path) -> None:
    """Every frame that is left in a cut file, or a condition that names it."""
    try:
        source = open_file(path)
    except UnreadableFile as error:
        assert str(path) in str(error)  # noqa: PT017 - both outcomes are right
        return
    try:
        for frame in source.frames():
            read_codes(frame.image)
    except SourceError as error:
        assert str(path) in str(error)  # noqa: PT017 - as above
    finally:
        source.close()


@pytest.mark.parametrize("shape", [(0, 0), (0, 640), (480, 0, 3), (20_000, 20_000)])
def test_frames_of_no_size_and_of_a_vast_one_are_refused(shape: tuple[int, ...]) -> None:
    """In a sentence that tells the size; the vast one takes no memory here."""
    frame = np.broadcast_to(np.zeros((), np.uint8), shape)
    with pytest.raises(ImageError, match=f"found {shape[1]}x{shape[0]}"):
        read_codes(frame)


def test_the_largest_payload_of_all_is_read_whole(draw: Callable[..., Image]) -> None:
    """2,953 bytes in a code of version 40."""
    data = bytes(range(256)) * 11 + bytes(137)
    (read,) = read_patiently(draw(data, scale=3, error="l"))
    assert (read.data, read.version) == (data, 40)


def test_nothing_is_left_of_many_bad_files(tmp_path: Path) -> None:
    """No thread, no open file."""
    bad = tmp_path / "bad.png"
    bad.write_bytes(png(100, 100, b"too few"))
    with nothing_left_open():
        for _ in range(50):
            with pytest.raises(UnreadableFile):
                load_image(tmp_path / "missing.png")
            load_or_refuse(bad)


def load_or_refuse(path: Path) -> None:
    """Decoders differ in whether a picture that breaks off is one."""
    try:
        assert load_image(path).shape == (100, 100, 3)
    except UnreadableFile:
        assert path.exists()


def test_importing_the_package_loads_neither_opencv_nor_numpy() -> None:
    """Nor its frames, presets' names and reports: who only asks for help does not wait."""
    modules = ("camera_scanner", "camera_scanner.frames", "camera_scanner.report", "camera_scanner.sources.cameras")
    code = "; ".join(f"import emulators.{module}" for module in modules)
    code += "; import sys; print(sorted({'cv2', 'numpy', 'zxingcpp'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=LATER, check=True)
    assert done.stdout == "[]\n"
