import os
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from emulators.camera_scanner.decoders import read_codes
from emulators.camera_scanner.frames import Image, UnreadableFile
from emulators.camera_scanner.sources.any_file import files_in, open_file
from emulators.camera_scanner.sources.images import ImageFiles
from emulators.camera_scanner.sources.video import VideoFile


def test_the_content_decides_and_not_the_name(tmp_path: Path, draw: Callable[..., Image]) -> None:
    """A PNG called .avi is a picture; only a bare Motion JPEG stream is known by its name."""
    png = cv2.imencode(".png", draw("hello"))[1].tobytes()
    jpeg = cv2.imencode(".jpg", draw("hello"))[1].tobytes()
    (tmp_path / "a.avi").write_bytes(png)
    (tmp_path / "b.mjpeg").write_bytes(jpeg * 4)
    (tmp_path / "c.jpeg").write_bytes(jpeg)
    assert isinstance(open_file(tmp_path / "a.avi"), ImageFiles)
    assert isinstance(open_file(tmp_path / "c.jpeg"), ImageFiles)
    stream = open_file(tmp_path / "b.mjpeg")
    assert isinstance(stream, VideoFile)
    assert len(list(stream.frames())) == 4


@pytest.mark.parametrize("content", [b"hello", bytes(range(256)) * 10])
def test_a_file_that_is_neither_is_refused(tmp_path: Path, content: bytes) -> None:
    """In one sentence that names the file."""
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"x holds neither a picture nor a video"):
        open_file(tmp_path / "x")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """Nor is what does not exist."""
    with pytest.raises(UnreadableFile, match="it is no file"):
        open_file(tmp_path)
    with pytest.raises(UnreadableFile, match="No such file"):
        open_file(tmp_path / "missing")


def test_the_files_of_a_folder_come_by_name(tmp_path: Path, draw: Callable[..., Image]) -> None:
    """With those of the folders in it, once each; a folder that points back to itself ends."""
    png = cv2.imencode(".png", draw("hello"))[1].tobytes()
    (tmp_path / "b").mkdir()
    for name in ("c.png", "a.png", "b/x.png", ".hidden.png"):
        (tmp_path / name).write_bytes(png)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "b" / "round").symlink_to(tmp_path)
    assert files_in(tmp_path) == [tmp_path / "a.png", tmp_path / "b/x.png", tmp_path / "c.png"]


def test_a_folder_without_pictures_says_so(tmp_path: Path) -> None:
    """Also one that does not exist."""
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UnreadableFile, match="holds no picture and no video"):
        files_in(tmp_path)
    with pytest.raises(UnreadableFile, match="No such file"):
        files_in(tmp_path / "missing")


@pytest.mark.parametrize("name", [b"b\xff.png", b"b\xff.avi"])
def test_a_name_that_is_no_utf_8_is_a_name(tmp_path: Path, draw: Callable[..., Image], name: bytes) -> None:
    """OpenCV ends the process where it is given such a text."""
    path = tmp_path / os.fsdecode(name)
    code = cv2.cvtColor(draw("named"), cv2.COLOR_GRAY2BGR)
    if path.suffix == ".png":
        path.write_bytes(cv2.imencode(".png", code)[1].tobytes())
    else:
        film = tmp_path / "film.avi"
        writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 10, (code.shape[1], code.shape[0]))
        writer.write(code)
        writer.release()
        film.rename(path)
    assert files_in(tmp_path) == [path]
    source = open_file(path)
    (frame,) = source.frames()
    source.close()
    assert [read.data for read in read_codes(frame.image)] == [b"named"]
