import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from emulators.camera_scanner.frames import Image, UnreadableFile
from emulators.camera_scanner.sources.images import ImageFiles, load_image
from tests.codes import read_patiently


def test_pictures_come_in_order_as_frames(tmp_path: Path, draw: Callable[..., Image]) -> None:
    """One a second, named by their files; umlauts and spaces in a name are no obstacle."""
    paths = [tmp_path / "ä b.png", tmp_path / "c.jpg", tmp_path / "d.bmp"]
    for path in paths:
        path.write_bytes(cv2.imencode(path.suffix, draw("hello"))[1].tobytes())
    frames = list(ImageFiles(paths).frames())
    assert [(frame.time, frame.source) for frame in frames] == [(float(n), str(path)) for n, path in enumerate(paths)]
    assert {frame.image.shape for frame in frames} == {(*draw("hello").shape, 3)}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, r"cannot read .*x\.png: No such file"),
        (b"", r"x\.png is empty"),
        (b"hello", r"x\.png holds no picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), r"x\.png holds no picture"),
    ],
)
def test_what_is_no_picture_is_said_in_one_sentence(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    """Missing, empty, of another kind, damaged."""
    path = tmp_path / "x.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=sentence):
        load_image(path)


def test_a_picture_cut_short_is_refused_at_every_length(tmp_path: Path, draw: Callable[..., Image]) -> None:
    """A PNG without its end is unreadable or black at the end, never an error of another kind."""
    whole = cv2.imencode(".png", draw("hello"))[1].tobytes()
    path = tmp_path / "x.png"
    for length in range(1, len(whole), 37):
        path.write_bytes(whole[:length])
        try:
            assert load_image(path).dtype == np.uint8
        except UnreadableFile:
            continue


def test_a_device_is_not_read_until_it_ends() -> None:
    """It never would."""
    with pytest.raises(UnreadableFile, match="it is no file"):
        load_image(Path("/dev/zero"))


def test_a_picture_that_would_unpack_to_gigabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    """Its header tells, and the sentence says how large it is."""
    path = tmp_path / "bomb.png"
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 50_000, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)))
    with pytest.raises(UnreadableFile, match=r"bomb\.png is a picture of 60000x50000: expected up to 64000000 pixels"):
        load_image(path)


@pytest.mark.parametrize("ink", [0, 255], ids=["black", "white"])
@pytest.mark.parametrize("name", ["x.png", "deep.png", "x.tif", "x.gif"])
def test_a_transparent_code_is_laid_on_what_it_can_be_seen_on(
    tmp_path: Path, draw: Callable[..., Image], ink: int, name: str
) -> None:
    """Black modules on nothing lie on white, white ones on black; both are read, with 16 bits a channel too."""
    modules = draw("hello") == 0
    picture = np.zeros((*modules.shape, 4), np.uint8)
    picture[modules] = (ink, ink, ink, 255)
    path = tmp_path / name
    deep = picture.astype(np.uint16) * 257
    path.write_bytes(cv2.imencode(path.suffix, deep if name == "deep.png" else picture)[1].tobytes())
    assert [read.data for read in read_patiently(load_image(path))] == [b"hello"]
