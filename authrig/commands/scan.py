"""``authrig scan``: read the QR codes in pictures, in videos, or before a camera."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from authrig.commands.arguments import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from emulators.camera_scanner.decoders import Read
    from emulators.camera_scanner.frames import Frame, FrameSource, Image
    from emulators.env import Clock

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>authrig scan</title>
<style>body{margin:0;background:#181c18;color:#ddd;font:16px sans-serif;display:grid;place-items:center;min-height:100vh}
img{max-width:100vw;max-height:100vh}</style>
<img src="/stream" alt="What the camera sees, with the codes outlined">
"""

_PATIENCE_MS = 2000.0
"""For a file there is more time per picture than for a camera: a photo may have many millions of pixels."""


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "scan",
        help="read the QR codes in pictures, in videos, or before a camera",
        description="Print what the QR codes in pictures, in videos or before a camera say. Bytes that are no printable text are escaped.",
        epilog="Exit code: 0 something was read, 1 nothing was read, 2 a file or camera could not be used.",
    )
    parser.add_argument(
        "files", nargs="*", metavar="FILE|FOLDER", type=Path, help="a picture or a video, or all in a folder and below"
    )
    _add_camera(parser)
    parser.add_argument("--micro", action="store_true", help="read Micro QR too; each must be seen twice")
    parser.add_argument(
        "--choose",
        choices=("all", "alone", "middle", "largest"),
        default="all",
        help="which of several codes in a picture count: all, none unless it is alone, the one in the middle, the largest",
    )
    parser.add_argument(
        "--view",
        type=_port,
        nargs="?",
        const=0,
        metavar="PORT",
        help="with --camera: show what it sees, with the codes outlined, on a page at this port of this machine (any free one)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each code, its bytes in base64")
    parser.add_argument(
        "--save",
        type=Path,
        metavar="DIR|FILE",
        help="write each frame with its codes outlined; to FILE.png only the first",
    )
    parser.set_defaults(run=run, named=False)


def _add_camera(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--camera",
        metavar="N|NAME|URL|screen",
        help="look through camera N (0 is the first; `authrig cameras` lists them), the one with NAME in its name or id, an HTTP stream of JPEG pictures, or at the screen (screen, or screen:LEFT,TOP,WIDTH,HEIGHT), until a code is read",
    )
    parser.add_argument("--continuous", action="store_true", help="with --camera: go on after the first code")
    parser.add_argument("--seconds", type=seconds, metavar="S", help="with --camera: give up after S seconds")
    parser.add_argument(
        "--patience",
        type=seconds,
        metavar="S",
        help="with --camera: end when it shows nothing but black, or the very same picture, for S seconds",
    )
    parser.add_argument("--size", type=_size, metavar="WxH", help="with --camera N: the size of its pictures")
    parser.add_argument(
        "--exposure", type=float, metavar="X", help="with --camera N: its exposure, in its driver's units"
    )
    parser.add_argument("--focus", type=float, metavar="X", help="with --camera N: its focus, in its driver's units")


def run(args: argparse.Namespace) -> int:
    """Read and print; returns the exit code."""
    if (args.camera is None) == (not args.files):
        return _refuse("give either files or --camera N")
    given = (args.seconds, args.view, args.patience, args.size, args.exposure, args.focus)
    if args.camera is None and (args.continuous or any(option is not None for option in given)):
        return _refuse("--continuous, --seconds, --view, --patience, --size, --exposure and --focus go with --camera")
    for path in args.files:
        if path.parts[:1] in (("http:",), ("https:",)):
            return _refuse(f"an address is given as --camera: authrig scan --camera {path.parts[0]}//...")

    from emulators.camera_scanner.frames import SourceError
    from emulators.camera_scanner.sources.by_name import calm_opencv

    calm_opencv()
    failed = not _look_into_folders(args)
    if args.save is not None and args.save.resolve() in {path.resolve() for path in args.files}:
        return _refuse(f"--save {args.save} would overwrite a picture that is to be read")
    show = _Printer(args)
    for source_of in _sources(args):
        try:
            for frame, reads in source_of:
                show(frame, reads)
        except (SourceError, OSError) as error:
            sys.stdout.flush()
            failed = True
            _refuse(str(error))
    return 2 if failed else 0 if show.count else 1


def _look_into_folders(args: argparse.Namespace) -> bool:
    """Put the files of each folder in its place; whether all folders could be looked into."""
    if not any(path.is_dir() for path in args.files):
        return True

    from emulators.camera_scanner.frames import SourceError
    from emulators.camera_scanner.sources.any_file import files_in

    files: list[Path] = []
    fine = True
    for path in args.files:
        try:
            files += files_in(path) if path.is_dir() else [path]
        except SourceError as error:
            fine = False
            _refuse(str(error))
    args.files, args.named = files, True
    return fine


def _sources(args: argparse.Namespace) -> Iterator[Iterable[tuple[Frame, tuple[Read, ...]]]]:
    """For each file, or the camera, the frames that bring news."""
    if args.camera is None:
        for path in args.files:
            yield _from_file(path, args.choose, micro=args.micro)
    else:
        yield _from_camera(args)


def _from_file(path: Path, choose: str, *, micro: bool) -> Iterator[tuple[Frame, tuple[Read, ...]]]:
    from functools import partial

    from emulators.camera_scanner.choice import CHOICES
    from emulators.camera_scanner.decoders import read_codes
    from emulators.camera_scanner.scanner import Scanner
    from emulators.camera_scanner.sources.any_file import open_file
    from emulators.camera_scanner.sources.images import ImageFiles

    source = open_file(path)
    # After a frame of a video comes another one.
    still = isinstance(source, ImageFiles)
    read = partial(read_codes, deadline_ms=_PATIENCE_MS, thorough=still, micro=micro)
    scanner = Scanner(read=read, choose=CHOICES[choose])
    try:
        for frame in source.frames():
            # A picture is one frame, and a Micro QR must be seen twice.
            if news := scanner.scan(frame) or (scanner.scan(frame) if micro else ()):
                yield frame, news
    finally:
        source.close()


def _from_camera(args: argparse.Namespace) -> Iterator[tuple[Frame, tuple[Read, ...]]]:
    from functools import partial

    from emulators.camera_scanner.choice import CHOICES
    from emulators.camera_scanner.decoders import read_codes
    from emulators.camera_scanner.scanner import Scanner
    from emulators.camera_scanner.sources.by_name import open_camera
    from emulators.camera_scanner.sources.webcam import Settings
    from emulators.camera_scanner.tracking import LastPlaceFirst
    from emulators.env import SystemClock

    clock = SystemClock()
    settings = Settings(args.size, args.exposure, args.focus)
    source = open_camera(args.camera, clock, None if settings == Settings() else settings)
    if args.patience is not None:
        from emulators.camera_scanner.sources.watched import Watched

        source = Watched(source, args.patience)
    until = None if args.seconds is None else clock.monotonic() + args.seconds
    with ExitStack() as stack:
        stack.callback(source.close)
        read: Callable[[Image], tuple[Read, ...]] = LastPlaceFirst(partial(read_codes, micro=args.micro))
        if args.view is not None:
            read = stack.enter_context(_View(args.view, clock, read)).read
        for news in Scanner(read=read, choose=CHOICES[args.choose]).scan_all(_before(source, until)):
            yield news
            if not args.continuous:
                return


class _View:
    """A page in the browser that shows what the camera sees, with the codes outlined and how quickly they are read."""

    def __init__(self, port: int, clock: Clock, read: Callable[[Image], tuple[Read, ...]]) -> None:
        from emulators.camera_scanner.mjpeg import MjpegServer

        self._clock = clock
        self._read = read
        try:
            self._server = MjpegServer(port, page=_PAGE)
        except OSError as error:
            raise OSError(f"cannot show the live view at port {port}: {error.strerror}") from error
        self._last: float | None = None
        self._rate = 0.0
        self._hits = 0.0
        sys.stderr.write(f"authrig scan: live view at {self._server.url}\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def read(self, image: Image) -> tuple[Read, ...]:
        """Read ``image`` and show it."""
        from emulators.camera_scanner.outline import caption, outline

        begun = self._clock.monotonic()
        reads = self._read(image)
        now = self._clock.monotonic()
        if self._last is not None and now > self._last:
            # Smoothed over about ten frames, so that they can be read.
            rate = 1 / (now - self._last)
            self._rate += (0.1 if self._rate else 1) * (rate - self._rate)
        self._hits += (0.1 if self._last is not None else 1) * (bool(reads) - self._hits)
        self._last = now
        text = f"{self._rate:.0f} frames/s, {self._hits:.0%} of them read, {(now - begun) * 1000:.1f} ms"
        self._server.show(caption(outline(image, reads), text))
        return reads


def _before(source: FrameSource, until: float | None) -> Iterator[Frame]:
    """The frames of ``source`` taken before the time ``until``."""
    for frame in source.frames():
        if until is not None and frame.time >= until:
            return
        yield frame


class _Printer:
    """Prints reads as they come, and saves the frames that they were found in."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.count = 0
        self._json: bool = args.json
        self._save: Path | None = args.save
        self._saved = 0
        self._many = args.named or len(args.files) > 1

    def __call__(self, frame: Frame, reads: tuple[Read, ...]) -> None:
        from emulators.camera_scanner.report import describe, printable, scan_report

        self.count += len(reads)
        encoding = sys.stdout.encoding or "utf-8"
        for read, report in zip(reads, scan_report(reads), strict=True):
            if self._json:
                line = json.dumps({"source": frame.source, "time": round(frame.time, 3), **report})
            else:
                name = f"{printable(os.fsencode(frame.source), encoding)}: " if self._many else ""
                line = f"{name}{printable(read.data, encoding)}\n  {describe(read)}"
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
        if self._save is not None:
            self._save_outlined(self._save, frame, reads)

    def _save_outlined(self, target: Path, frame: Frame, reads: tuple[Read, ...]) -> None:
        from emulators.camera_scanner.outline import encode_png, outline

        self._saved += 1
        if target.suffix.lower() == ".png" and self._saved > 1:
            return
        try:
            if target.suffix.lower() != ".png":
                target.mkdir(parents=True, exist_ok=True)
                stem = Path(frame.source).stem.replace(" ", "-")
                target /= f"{stem}-{self._saved:03}.png"
            target.write_bytes(encode_png(outline(frame.image, reads)))
        except OSError as error:
            raise OSError(f"cannot write {target}: {error.strerror or error}") from error


def _refuse(sentence: str) -> int:
    from emulators.camera_scanner.report import printable

    encoding = sys.stderr.encoding or "utf-8"
    sys.stderr.write(f"authrig scan: {printable(os.fsencode(sentence), encoding)}\n")
    return 2


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, found {text!r}")
    return int(text)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not all(side.isascii() and side.isdigit() and 0 < int(side[:6]) <= 16384 for side in (width, height)):
        raise argparse.ArgumentTypeError(f"a size is WIDTHxHEIGHT in pixels, found {text!r}")
    return int(width), int(height)
