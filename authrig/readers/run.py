"""A barcode reader run until told to stop: what ``authrig reader run`` does."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from authrig.errors import RigError
from authrig.readers.families import Plugged, plug_in
from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.frames import SourceError
from emulators.camera_scanner.sources.by_name import open_by_name
from emulators.env import SystemClock
from emulators.usb.errors import PlugError

if TYPE_CHECKING:
    from argparse import Namespace

    from emulators.camera_scanner.barcode_readers.emulated.looking import SeenCode
    from emulators.camera_scanner.frames import FrameSource

_CHECK_SECONDS = 0.1
_LOOKS = 2
LONGEST_CODE = 7089
"""Bytes that no code exceeds: the digits that fit into the largest QR code."""
_LONGEST_LINE = LONGEST_CODE + 2
_OUT_OF_VIEW_SECONDS = 0.5
"""A code that a camera does not read for so long is away; a single blurred frame does not count."""


def run_reader(args: Namespace) -> None:
    """Read until SIGINT or SIGTERM; where a host finds the reader goes to standard output, one line.

    Raises:
        RigError: if what is asked for does not go together, or the camera ends.
    """
    if args.code is not None and not 0 < len(args.code.encode(errors="surrogateescape")) <= LONGEST_CODE:
        raise RigError(f"--code: expected a text of 1 to {LONGEST_CODE} bytes")
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with ExitStack() as opened:
        try:
            source = None if args.camera is None else _open(args.camera, opened)
            plugged = plug_in(args, opened)
        except (PlugError, SourceError, ValueError, OSError) as error:
            raise RigError(str(error)) from error
        sys.stdout.write(f"{plugged.place}\n")
        sys.stdout.flush()
        feeder = _Feeder(plugged, ended, button=not args.no_button)
        feed = threading.Thread(target=feeder.run, args=(source, args.code, args.every), daemon=True)
        feed.start()
        ended.wait()
        if source is not None:
            feed.join(5)  # it must not read from a camera that is being closed
        if feeder.trouble is not None:
            raise RigError(feeder.trouble)


def _open(name: str, opened: ExitStack) -> FrameSource:
    source = open_by_name(name, SystemClock())
    opened.callback(source.close)
    return source


class _Feeder:
    """Holds codes before a reader, in a thread of its own."""

    def __init__(self, plugged: Plugged, ended: threading.Event, *, button: bool) -> None:
        self._plugged = plugged
        self._ended = ended
        self._button = button
        self._heard = False
        self.trouble: str | None = None

    def run(self, source: FrameSource | None, code: str | None, every: float | None) -> None:
        """Show what the camera sees, or the code, or the lines of standard input."""
        if source is not None:
            try:
                self._show_frames(source)
            except SourceError as error:
                self.trouble = str(error)
                self._ended.set()
        elif code is not None:
            data = Code(code.encode(errors="surrogateescape"))
            self._show(data)
            while every is not None and not self._ended.wait(every):
                self._show(data)
        elif sys.stdin is not None:
            # Not through sys.stdin: at the end of the process its lock would still be held by this waiting thread.
            with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as lines:
                while line := lines.readline(_LONGEST_LINE):
                    self._show_line(line)

    def _show_line(self, line: bytes) -> None:
        if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
            sys.stderr.write(f"authrig: no code holds more than {LONGEST_CODE} bytes: the line is read in pieces\n")
        if data := line.rstrip(b"\r\n"):
            self._show(Code(data))

    def _show(self, code: SeenCode) -> None:
        """Hold ``code`` before the reader, as soon as somebody listens, and press its button."""
        if not self._heard or not self._plugged.in_use():
            self._heard = self._wait_for_host()
            if not self._heard:
                return
        with self._plugged.cable.using() as reader:
            reader.show(None)
            reader.show(code)
            if self._button:
                reader.press()

    def _wait_for_host(self) -> bool:
        """Whether one came before the end."""
        # It must stay for two looks: pyserial, for one, throws away what it finds on a line that it has just opened.
        looks = 0
        while looks < _LOOKS:
            looks = looks + 1 if self._plugged.in_use() else 0
            if self._ended.wait(_CHECK_SECONDS):
                return False
        return True

    def _show_frames(self, source: FrameSource) -> None:
        from emulators.camera_scanner.tracking import LastPlaceFirst  # noqa: PLC0415 - slow to import

        read = LastPlaceFirst()
        seen: bytes | None = None
        seen_at = 0.0
        for frame in source.frames():
            if self._ended.is_set():
                return
            reads = read(frame.image)
            if reads:
                seen_at = frame.time
                if reads[0].data != seen:
                    seen = reads[0].data
                    self._show(reads[0])
            elif seen is not None and frame.time - seen_at > _OUT_OF_VIEW_SECONDS:
                seen = None
                with self._plugged.cable.using() as reader:
                    reader.show(None)
