import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from authrig.cli import main
from authrig.pictures import print_code
from emulators.camera_scanner.frames import FrameSource
from emulators.camera_scanner.sources.stream import HttpStream
from emulators.camera_scanner.sources.video import VideoFile
from emulators.env import SystemClock
from tests.codes import read_patiently
from tests.emulators.usb.usbip_host import UsbIpHost
from tests.emulators.usb.video_host import VideoHost


@contextmanager
def _running(*arguments: str | Path) -> Iterator["subprocess.Popen[str]"]:
    """The command at work; at its end it is interrupted, and must then end well."""
    command = [str(Path(sys.executable).with_name("authrig")), "webcam", "run", *map(str, arguments)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
            assert (process.returncode, errors) == (0, "")


def _place(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _wait_for(source: FrameSource, *texts: str) -> None:
    """Until all have been seen, in this order."""
    wanted = [text.encode() for text in texts]
    for frame in source.frames():
        if wanted and [read.data for read in read_patiently(frame.image)] == wanted[:1]:
            wanted.pop(0)
        if not wanted:
            break
    source.close()


def test_files_folders_and_texts_go_round_on_a_stream(tmp_path: Path) -> None:
    """In the order given, a folder's files by name, and again from the beginning."""
    folder = tmp_path / "badges"
    folder.mkdir()
    for name in ("b", "a"):
        (folder / f"{name}.png").write_bytes(print_code(name))
    with _running(folder, "--text", "last", "--as", "http", "--hold", "0.1") as process:
        _wait_for(HttpStream(_place(process), SystemClock()), "a", "b", "last", "a")


def test_lines_are_shown_as_they_come(tmp_path: Path) -> None:
    """In the file that Chromium plays; what is printed are Chromium's arguments."""
    file = tmp_path / "camera.y4m"
    with _running("--lines", "--as", "chromium", "--file", file, "--size", "320x240") as process:
        arguments = _place(process).split()
        assert f"--use-file-for-fake-video-capture={file}" in arguments
        assert process.stdin is not None
        for text in ("first", "second"):
            process.stdin.write(f"{text}\n")
            process.stdin.flush()
            deadline = time.monotonic() + 20
            while [read.data for read in read_patiently(next(VideoFile(file).frames()).image)] != [text.encode()]:
                assert time.monotonic() < deadline


def test_a_usb_host_takes_pictures(tmp_path: Path) -> None:
    """At the address that is printed, from a camera that says that it is a test device, and which one."""
    command = ("--text", "usb", "--as", "usbip", "--listen", "127.0.0.1:0", "--serial", "CAM-1")
    with _running(*command) as process:
        address, _, busid = _place(process).partition("/")
        host, _, port = address.rpartition(":")
        usb = UsbIpHost((host, int(port)), busid)
        try:
            names = [usb.descriptor(3, index)[2:].decode("utf-16-le") for index in (2, 3)]
            assert names == ["Authrig test camera", "CAM-1"]
            camera = VideoHost(usb)
            camera.start(1, 1)
            pictures = (camera.picture() for _ in itertools.count())
            path = tmp_path / "picture.jpg"
            deadline = time.monotonic() + 20
            while path.write_bytes(next(pictures)) and main(["scan", str(path)]) != 0:
                assert time.monotonic() < deadline
        finally:
            usb.socket.close()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--as", "http"], "needs something to show"),
        (["none.png", "--as", "http"], "cannot read none.png: No such file"),
        ([".", "--as", "http"], "the folder . holds no picture and no video"),
        (["--text", "", "--as", "http"], "a text of 1 to 2000 bytes"),
        (["--text", "x" * 2001, "--as", "http"], "a text of 1 to 2000 bytes for a code, found 2001"),
        (["--text", "x", "--as", "http", "--fps", "0"], "frames a second, found 0"),
        (["--text", "x", "--as", "http", "--serial", "CAM-1"], "--serial goes with --as usbip"),
        (["--text", "x", "--as", "usbip", "--device", "/dev/video9"], "--device goes with --as v4l2"),
        (["--text", "x", "--as", "http", "--file", "x.y4m"], "--file goes with --as chromium"),
        (["--text", "x", "--as", "v4l2"], "needs --device /dev/videoN"),
        (["--text", "x", "--as", "v4l2", "--device", "/dev/video99"], "there is none; make one: sudo modprobe"),
        (["--text", "x", "--as", "chromium"], "needs --file FILE.y4m"),
        (["--text", "x", "--as", "chromium", "--file", "x.mp4"], r"end in .y4m or .mjpeg, found x.mp4"),
        (["--text", "x", "--as", "chromium", "--file", "no/x.y4m"], "cannot write no/x.y4m: No such file"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On standard error, with exit code 2."""
    monkeypatch.chdir(tmp_path)
    assert main(["webcam", "run", *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not os.listdir(tmp_path)  # noqa: PTH208 - names only


def test_nothing_is_said_to_be_there_before_all_texts_were_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    """A script that reads the address would take the webcam for running."""
    assert main(["webcam", "run", "--text", "x", "--text", "", "--as", "http"]) == 2
    assert capsys.readouterr().out == ""


def test_a_port_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """For each kind that listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for kind in ("usbip", "http"):
            assert main(["webcam", "run", "--text", "x", "--as", kind, "--listen", f"127.0.0.1:{port}"]) == 2
            assert f"port {port}: Address already in use; another port may be free" in capsys.readouterr().err


def test_what_is_to_be_shown_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same file on both sides is a mistake."""
    clip = tmp_path / "clip.y4m"
    clip.write_bytes(b"YUV4MPEG2 W2 H2 F30:1 Ip C420jpeg\nFRAME\n" + bytes(6))
    before = clip.read_bytes()
    assert main(["webcam", "run", str(clip), "--as", "chromium", "--file", str(clip)]) == 2
    assert "would overwrite what is to be shown" in capsys.readouterr().err
    assert clip.read_bytes() == before
