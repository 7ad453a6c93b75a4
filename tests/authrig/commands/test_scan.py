import argparse
import base64
import json
import os
import struct
import subprocess
import sys
import urllib.request
import zlib
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import segno

from authrig.commands import scan
from emulators.camera_scanner.decoders import read_codes
from emulators.camera_scanner.frames import Image
from emulators.camera_scanner.mjpeg import MjpegServer
from emulators.camera_scanner.sources import webcam
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import SeededRandom, SystemClock


def code_of(data: bytes) -> Image:
    """A QR code as a gray picture."""
    rows = segno.make(data, mode="byte", micro=False).matrix_iter(scale=5, border=4)
    return np.where(np.array([list(row) for row in rows], np.uint8), 0, 255).astype(np.uint8)


def write_code(path: Path, data: bytes) -> str:
    """A picture file with a code that says ``data``."""
    path.write_bytes(cv2.imencode(path.suffix, code_of(data))[1].tobytes())
    return str(path)


def authrig_scan(*arguments: str) -> int:
    """The command, in this process."""
    parser = argparse.ArgumentParser()
    scan.add_parser(parser.add_subparsers())
    args = parser.parse_args(["scan", *arguments])
    return int(args.run(args))


def authrig_scan_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as a user starts it."""
    program = (
        "import argparse, sys\nfrom authrig.commands import scan\nparser = argparse.ArgumentParser()\n"
        "scan.add_parser(parser.add_subparsers())\nargs = parser.parse_args(['scan', *sys.argv[1:]])\nsys.exit(args.run(args))"
    )
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **environment}
    )


def test_a_picture_is_read_aloud(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it says, and how it was read; control bytes are shown and not obeyed."""
    assert authrig_scan(write_code(tmp_path / "a.png", b"\x1b[31mhello\x00\xff")) == 0
    out = capsys.readouterr().out
    assert out.startswith("\\x1b[31mhello\\x00\\xff\n  QR 1-")
    assert "zxing-cpp" in out


def test_json_holds_the_bytes_faithfully(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, in the order of the files."""
    payloads = [bytes(range(256)), b"\xef\xbb\xbfhello", b"\x00"]
    files = [write_code(tmp_path / f"{n}.png", data) for n, data in enumerate(payloads)]
    assert authrig_scan("--json", *files) == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [base64.b64decode(each["data_base64"]) for each in objects] == payloads
    assert [each["source"] for each in objects] == files
    assert [each["text"] for each in objects] == [None, "\ufeffhello", "\x00"]


def test_a_video_tells_each_code_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the time at which it came into view."""
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (320, 240))
    camera = SyntheticCamera(SeededRandom(1), size=(320, 240))
    for text in (b"one", b"two"):
        camera.show(code_of(text))
        for frame in islice(camera.frames(), 15):
            writer.write(frame.image)
    writer.release()
    assert authrig_scan(str(path), "--json") == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["text"], each["time"]) for each in told] == [("one", 0.0), ("two", 0.5)]


def test_where_nothing_is_read_the_exit_code_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No code is no error, and nothing is printed."""
    blank = tmp_path / "blank.png"
    blank.write_bytes(cv2.imencode(".png", np.full((80, 80), 255, np.uint8))[1].tobytes())
    assert authrig_scan(str(blank), "--save", str(tmp_path / "out")) == 1
    assert capsys.readouterr() == ("", "")
    assert not (tmp_path / "out").exists()


def test_frames_are_saved_with_their_codes_outlined(tmp_path: Path) -> None:
    """Into a folder one for each frame, into a file only the first."""
    files = [write_code(tmp_path / f"{name}.png", name.encode()) for name in ("a", "b")]
    assert authrig_scan(*files, "--save", str(tmp_path / "new" / "out")) == 0
    saved = sorted((tmp_path / "new" / "out").iterdir())
    assert [path.name for path in saved] == ["a-001.png", "b-002.png"]
    assert authrig_scan(*files, "--save", str(tmp_path / "one.PNG")) == 0
    assert (tmp_path / "one.PNG").read_bytes()[:4] == b"\x89PNG"
    picture = cv2.imread(str(saved[0]))
    assert picture is not None
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 2  # no longer black and white only


def test_what_is_read_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A slip of the shell's history costs no photo."""
    file = Path(write_code(tmp_path / "a.png", b"hello"))
    before = file.read_bytes()
    assert authrig_scan(str(file), "--save", str(tmp_path / "x" / ".." / "a.png")) == 2
    assert "would overwrite" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After what was read has been printed."""
    file = write_code(tmp_path / "a.png", b"hello")
    assert authrig_scan(file, "--save", str(tmp_path / "a.png" / "out")) == 2
    out, err = capsys.readouterr()
    assert out.startswith("hello\n")
    assert err == f"authrig scan: cannot write {tmp_path}/a.png/out: Not a directory\n"


def test_one_bad_file_does_not_hide_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All are tried, each failure is one sentence, and the exit code tells."""
    good, bad = write_code(tmp_path / "a.png", b"hello"), tmp_path / "b.png"
    bad.write_bytes(b"no picture")
    assert authrig_scan(str(bad), str(tmp_path / "missing.png"), good) == 2
    out, err = capsys.readouterr()
    assert f"{good}: hello\n" in out
    assert [line.split(": ", 1)[0] for line in err.splitlines()] == ["authrig scan"] * 2
    assert "holds neither a picture nor a video" in err
    assert "No such file" in err


@pytest.mark.parametrize(
    "arguments",
    [(), ("a.png", "--camera", "0"), ("a.png", "--seconds", "3"), ("a.png", "--continuous"), ("a.png", "--view")],
)
def test_contradictions_are_refused(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Files or a camera, and each with its own options."""
    assert authrig_scan(*arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [("--camera", "0", "--view", "-1"), ("--camera", "0", "--view", "99999"), ("--camera", "0", "--seconds", "nan")],
)
def test_numbers_are_checked(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """By argparse, which leaves with 2 as well."""
    with pytest.raises(SystemExit, match="2"):
        authrig_scan(*arguments)
    assert "found" in capsys.readouterr().err


class FilmedCapture:
    """A camera before which a badge is held after some frames."""

    def __init__(self, empty_frames: int) -> None:
        self.left = empty_frames
        self.released = False
        self.camera = SyntheticCamera(SeededRandom(1))
        self.camera.show(np.full((100, 100), 255, np.uint8))

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """It is there."""
        return True

    def grab(self) -> bool:
        """Wait for the next frame."""
        self.left -= 1
        if self.left == 0:
            self.camera.show(code_of(b"badge"))
        return self.left > -5

    def retrieve(self) -> tuple[bool, Any]:
        """That frame."""
        return True, next(self.camera.frames()).image

    def set(self, propId: int, value: float) -> bool:  # noqa: N803 - OpenCV's name
        """It has a focus, and nothing else to set."""
        return propId == cv2.CAP_PROP_FOCUS and value < 300

    def get(self, propId: int) -> float:  # noqa: N803 - OpenCV's name
        """It has one size."""
        return {cv2.CAP_PROP_FRAME_WIDTH: 640.0, cv2.CAP_PROP_FRAME_HEIGHT: 480.0}.get(propId, 0.0)

    def release(self) -> None:
        """It is let go."""
        self.released = True


@pytest.fixture
def filmed(monkeypatch: pytest.MonkeyPatch) -> FilmedCapture:
    """Camera 0 of this machine."""
    capture = FilmedCapture(empty_frames=3)
    monkeypatch.setattr(webcam.Webcam.__init__, "__defaults__", (lambda _: capture,))
    return capture


def test_a_camera_is_watched_until_a_code_comes(filmed: FilmedCapture, capsys: pytest.CaptureFixture[str]) -> None:
    """Then it is let go."""
    assert authrig_scan("--camera", "0") == 0
    assert capsys.readouterr().out.startswith("badge\n")
    assert filmed.released


def test_a_camera_that_stops_is_said_after_what_was_read(
    filmed: FilmedCapture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --continuous the scan goes on to the end, which here is an unplugged cable."""
    assert authrig_scan("--camera", "0", "--continuous", "--save", str(tmp_path)) == 2
    out, err = capsys.readouterr()
    assert out.startswith("badge\n")
    assert err == "authrig scan: camera 0 stopped: no picture came after 7\n"
    assert [path.name for path in tmp_path.iterdir()] == ["camera-0-001.png"]
    assert filmed.released


def test_seconds_end_a_scan_that_finds_nothing(filmed: FilmedCapture, capsys: pytest.CaptureFixture[str]) -> None:
    """The time is up before the badge comes."""
    assert authrig_scan("--camera", "0", "--seconds", "0.0001") == 1
    assert capsys.readouterr() == ("", "")
    assert filmed.released


def test_a_missing_camera_is_one_sentence_and_exit_code_two() -> None:
    """Without OpenCV's own lines between ours."""
    done = authrig_scan_process("--camera", "963")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("authrig scan: camera 963 cannot be opened; this machine has ")
    assert done.stderr.count("\n") == 1


def test_a_picture_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """Nine hundred million pixels in 60 kB are refused before they take memory."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    bomb = tmp_path / "bomb.png"
    pixels = zlib.compress(bytes(30_001 * 500))
    bomb.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))
    done = authrig_scan_process(str(bomb))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"authrig scan: {bomb} is a picture of 30000x30000: expected up to 64000000 pixels\n"


def test_a_terminal_that_knows_ascii_only_gets_escapes(tmp_path: Path) -> None:
    """No crash, nothing lost."""
    done = authrig_scan_process(write_code(tmp_path / "a.png", "Zürich".encode()), PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "Z\\u00fcrich")


def test_a_file_name_has_no_power_over_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a sentence about it, or before what it says."""
    name = tmp_path / "\x1b[2Ja.png"
    files = [write_code(name, b"hello"), str(tmp_path / "\x1b[2Jmissing")]
    assert authrig_scan(*files) == 2
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert out.startswith(f"{tmp_path}/\\x1b[2Ja.png: hello\n")


def test_the_parser_loads_nothing_heavy() -> None:
    """``authrig --help`` must be quick."""
    code = (
        "import sys, argparse; from authrig.commands import scan; "
        "scan.add_parser(argparse.ArgumentParser().add_subparsers()); "
        "sys.exit(bool({'numpy', 'cv2', 'zxingcpp', 'msgspec'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_camera_is_known_by_name() -> None:
    """One that is not there is told in one sentence."""
    done = authrig_scan_process("--camera", "no such camera")
    assert done.returncode == 2
    assert done.stderr.startswith("authrig scan: no camera's name or id contains 'no such camera'; this machine has ")


def test_a_stream_is_a_camera_and_can_be_watched(capsys: pytest.CaptureFixture[str]) -> None:
    """An HTTP stream is read; --view says where the page is."""
    with MjpegServer() as server:
        server.show(code_of(b"over http"))
        assert authrig_scan("--camera", server.url + "stream", "--view") == 0
    out, err = capsys.readouterr()
    assert out.startswith("over http\n")
    assert err.startswith("authrig scan: live view at http://127.0.0.1:")


def test_the_live_view_shows_the_outlined_frame(capsys: pytest.CaptureFixture[str]) -> None:
    """On a page that loads nothing from elsewhere, and runs no script."""
    with scan._View(0, SystemClock(), read_codes) as view:
        (read,) = view.read(code_of(b"badge"))
        url = capsys.readouterr().err.split()[-1]
        with urllib.request.urlopen(url, timeout=5) as page:  # noqa: S310 - our own server
            assert b'src="/stream"' in page.read()
            assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        with urllib.request.urlopen(url + "frame.jpg", timeout=5) as answer:  # noqa: S310 - our own server
            shown = cv2.imdecode(np.frombuffer(answer.read(), np.uint8), cv2.IMREAD_COLOR)
    assert read.data == b"badge"
    assert shown is not None
    green = (shown[:, :, 1].astype(int) - shown[:, :, 2]) > 60
    assert green.sum() > 200


def test_a_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Not as an error number."""
    with MjpegServer() as server:
        server.show(code_of(b"x"))
        port = server.url.rstrip("/").rpartition(":")[2]
        assert authrig_scan("--camera", server.url + "stream", "--view", port) == 2
    assert f"cannot show the live view at port {port}: Address already in use" in capsys.readouterr().err


def test_one_of_several_codes_is_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The largest; or none, when it must be alone."""
    small, large = code_of(b"small"), np.kron(code_of(b"large"), np.ones((2, 2), np.uint8))
    picture = np.full((large.shape[0], large.shape[1] + small.shape[1]), 255, np.uint8)
    picture[: small.shape[0], : small.shape[1]] = small
    picture[:, small.shape[1] :] = large
    path = tmp_path / "two.png"
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    assert authrig_scan(str(path), "--choose", "largest") == 0
    assert capsys.readouterr().out.startswith("large\n")
    assert authrig_scan(str(path), "--choose", "alone") == 1


def test_a_folder_is_read_with_all_below_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line with its file; notes and hidden files beside the pictures do not matter, a broken picture does."""
    (tmp_path / "b" / "c").mkdir(parents=True)
    files = [write_code(tmp_path / name, name.encode()) for name in ("a.png", "b/c/d.png", "b/z.jpg")]
    (tmp_path / "a.txt").write_text("not a picture")
    (tmp_path / ".hidden.png").write_bytes(Path(files[0]).read_bytes())
    assert authrig_scan(str(tmp_path)) == 0
    out, err = capsys.readouterr()
    assert [line for line in out.splitlines() if not line.startswith("  ")] == [
        f"{file}: {name}" for file, name in zip(files, ("a.png", "b/c/d.png", "b/z.jpg"), strict=True)
    ]
    assert err == ""
    (tmp_path / "broken.png").write_bytes(Path(files[0]).read_bytes()[:60])
    assert authrig_scan(str(tmp_path), "--save", str(tmp_path / "a.png")) == 2
    assert "would overwrite" in capsys.readouterr().err
    assert authrig_scan(str(tmp_path)) == 2
    assert capsys.readouterr().err == f"authrig scan: {tmp_path}/broken.png holds no picture that can be read\n"


def test_a_folder_without_a_picture_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It may be the wrong one; what else was named is read."""
    (tmp_path / "empty" / "below").mkdir(parents=True)
    file = write_code(tmp_path / "a.png", b"hello")
    assert authrig_scan(str(tmp_path / "empty"), file) == 2
    out, err = capsys.readouterr()
    assert out.startswith(f"{file}: hello\n")
    assert err == f"authrig scan: the folder {tmp_path}/empty holds no picture and no video\n"


def test_an_address_among_the_files_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """It is a camera."""
    assert authrig_scan("http://10.0.0.7/stream") == 2
    assert "--camera http://" in capsys.readouterr().err
