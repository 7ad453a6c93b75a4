from collections.abc import Callable
from itertools import islice
from pathlib import Path

import cv2
import pytest

from emulators.camera_scanner.frames import EmptyVideo, Frame, Image, TruncatedVideo, UnreadableFile
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.camera_scanner.sources.video import VideoFile
from emulators.env import SeededRandom
from tests.codes import read_patiently

FRAMES = 20


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, draw: Callable[..., Image]) -> Path:
    """Two thirds of a second of a code before a camera, as Motion JPEG."""
    path = tmp_path_factory.mktemp("film") / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (320, 240))
    camera = SyntheticCamera(SeededRandom(1), size=(320, 240))
    camera.show(draw("hello"))
    for frame in islice(camera.frames(), FRAMES):
        writer.write(frame.image)
    writer.release()
    return path


def test_a_video_is_read_frame_by_frame_with_its_own_time(film: Path) -> None:
    """All of them, a thirtieth of a second apart, and the code is in each."""
    video = VideoFile(film)
    frames = list(video.frames())
    video.close()
    video.close()
    assert [frame.time for frame in frames] == pytest.approx([n / 30 for n in range(FRAMES)], abs=0.001)
    assert [[read.data for read in read_patiently(frame.image)] for frame in frames] == [[b"hello"]] * FRAMES


def test_a_video_that_breaks_off_delivers_what_it_has_and_says_so(film: Path, tmp_path: Path) -> None:
    """The header still promises all of it."""
    short = tmp_path / "short.avi"
    short.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    frames: list[Frame] = []
    with pytest.raises(
        TruncatedVideo, match=rf"short\.avi breaks off: it promises {FRAMES} pictures and holds (8|9|10|11)"
    ):
        frames.extend(VideoFile(short).frames())
    assert 8 <= len(frames) <= 11


def test_a_video_without_pictures_is_named_as_such(tmp_path: Path) -> None:
    """A recorder that was stopped at once."""
    path = tmp_path / "empty.avi"
    cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (320, 240)).release()
    with pytest.raises(EmptyVideo, match=r"empty\.avi is a video without a single picture"):
        next(VideoFile(path).frames())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b"plain text\n" * 50, "holds no video of a known format"),
        (b"#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n", "holds no video of a known format"),
        (b"RIFF\x00\x10\x00\x00AVI " + bytes(500), "holds no video that can be read"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    """FFmpeg would show a text as a picture of it, and would fetch what a play list names."""
    path = tmp_path / "x.avi"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=sentence):
        VideoFile(path)
