"""A webcam shown until told to stop: what ``authrig webcam run`` does."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from authrig.errors import RigError
from authrig.pictures import picture_from_png, print_code
from emulators.camera_scanner.frames import SourceError
from emulators.camera_scanner.webcams.errors import WebcamError
from emulators.camera_scanner.webcams.player import Player
from emulators.camera_scanner.webcams.reel import Reel, Still
from emulators.usb.errors import PlugError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from emulators.camera_scanner.frames import FrameSource, Image

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LONGEST_TEXT = 2000
"""Characters that surely fit into a QR code of level M."""
_CHECK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class WebcamOptions:
    """What the command line asks for; ``port`` None takes the usual one."""

    paths: Sequence[Path]
    texts: Sequence[str]
    from_lines: bool
    hold: float
    kind: str
    size: tuple[int, int]
    frames_per_second: int
    host: str
    port: int | None
    serial_number: str
    device: Path | None
    file: Path | None


class _Webcam(Protocol):
    """What all kinds have in common."""

    def show(self, image: Image) -> None: ...


def run_webcam(options: WebcamOptions) -> None:
    """Show until SIGINT or SIGTERM; where to find the webcam goes to standard output, one line.

    Raises:
        RigError: if there is nothing to show, or no way to show it.
    """
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    parts: list[Callable[[], FrameSource]] = _parts(options.paths)
    for text in options.texts:
        _require_text(text)
        parts.append(partial(_code, text))
    if not parts and not options.from_lines:
        raise RigError("authrig webcam run needs something to show: files, folders, --text or --lines")
    with ExitStack() as opened:
        try:
            webcam, place = _KINDS[options.kind](options, opened)
            if options.host not in LOOPBACK and options.kind in ("usbip", "http"):
                sys.stderr.write(f"anyone who reaches {options.host} can see what it shows\n")
            sys.stdout.write(f"{place}\n")
            sys.stdout.flush()
            if options.from_lines:
                threading.Thread(target=_show_lines, args=(webcam,), daemon=True).start()
            player = opened.enter_context(Player(Reel(parts, options.hold), webcam.show)) if parts else None
            while not ended.wait(_CHECK_SECONDS):
                if player is not None:
                    player.wait(0)
        except (PlugError, WebcamError, SourceError, ValueError) as error:
            raise RigError(str(error)) from error


def _parts(paths: Sequence[Path]) -> list[Callable[[], FrameSource]]:
    """How to open each file, and each picture and video of a folder by name; all are looked at now, so that no typing error waits.

    Raises:
        RigError: if one is neither picture nor video, or a folder holds none.
    """
    from emulators.camera_scanner.sources.any_file import files_in, open_file  # noqa: PLC0415 - slow to import

    parts: list[Callable[[], FrameSource]] = []
    for path in paths:
        try:
            for one in files_in(path) if path.is_dir() else [path]:
                open_file(one).close()
                parts.append(partial(open_file, one))
        except (SourceError, OSError) as error:
            raise RigError(str(error)) from error
    return parts


def _code(text: str) -> Still:
    """A badge, so to say: ``text`` as a QR code.

    Raises:
        RigError: if it is too long for one.
    """
    _require_text(text)
    return Still(picture_from_png(print_code(text)), text)


def _require_text(text: str) -> None:
    if not 0 < len(text.encode(errors="surrogateescape")) <= _LONGEST_TEXT:
        raise RigError(f"expected a text of 1 to {_LONGEST_TEXT} bytes for a code, found {len(text)} characters")


def _show_lines(webcam: _Webcam) -> None:
    for line in sys.stdin:
        if text := line.rstrip("\r\n"):
            try:
                webcam.show(next(_code(text).frames()).image)
            except (RigError, WebcamError) as error:
                sys.stderr.write(f"authrig: {error}\n")


# Only what is shown is imported: a cold start counts.


def _usbip(options: WebcamOptions, opened: ExitStack) -> tuple[_Webcam, str]:
    """A USB device that `usbip attach` plugs in."""
    from emulators.camera_scanner.webcams.usb import UsbWebcam  # noqa: PLC0415 - see above
    from emulators.usb.usb_identity import UsbIdentity  # noqa: PLC0415 - see above
    from emulators.usb.usbip_function import composite_device  # noqa: PLC0415 - see above
    from emulators.usb.usbip_server import PORT, UsbIpServer  # noqa: PLC0415 - see above

    server = opened.enter_context(UsbIpServer(options.host, PORT if options.port is None else options.port))
    webcam = opened.enter_context(UsbWebcam())
    identity = UsbIdentity(0x1209, 0x0003, 0x0100, "Authrig", "Authrig test camera", options.serial_number)
    busid = server.plug_in(composite_device(identity, webcam.function))
    opened.callback(server.unplug, busid)
    host, port = server.address
    return webcam, f"{host}:{port}/{busid}"


def _v4l2(options: WebcamOptions, opened: ExitStack) -> tuple[_Webcam, str]:
    """A camera of this machine."""
    from emulators.camera_scanner.webcams.v4l2_output import V4l2Webcam  # noqa: PLC0415 - see above

    if options.device is None:
        raise RigError("--as v4l2 needs --device /dev/videoN: make one: sudo modprobe v4l2loopback exclusive_caps=1")
    webcam = opened.enter_context(V4l2Webcam(options.device, options.size, options.frames_per_second))
    return webcam, str(options.device)


def _http(options: WebcamOptions, opened: ExitStack) -> tuple[_Webcam, str]:
    """A stream."""
    from emulators.camera_scanner.webcams.stream import StreamWebcam  # noqa: PLC0415 - see above

    webcam = opened.enter_context(
        StreamWebcam(options.port or 0, options.host, size=options.size, frames_per_second=options.frames_per_second)
    )
    return webcam, webcam.url


def _chromium(options: WebcamOptions, opened: ExitStack) -> tuple[_Webcam, str]:
    """A file that Chromium plays."""
    from emulators.camera_scanner.webcams.chromium_file import ChromiumFileWebcam  # noqa: PLC0415 - see above

    if options.file is None:
        raise RigError("--as chromium needs --file FILE.y4m, where the webcam's file is made")
    if options.file.resolve() in {path.resolve() for path in options.paths}:
        raise RigError(f"--file {options.file} would overwrite what is to be shown")
    if options.file.exists() and not options.file.is_file():
        raise RigError(f"cannot write {options.file}: it is no file")
    try:
        webcam = ChromiumFileWebcam(options.file, options.size, options.frames_per_second)
    except OSError as error:
        raise RigError(f"cannot write {options.file}: {error.strerror}") from error
    opened.enter_context(webcam)
    return webcam, " ".join(webcam.arguments)


_KINDS: dict[str, Callable[[WebcamOptions, ExitStack], tuple[_Webcam, str]]] = {
    "usbip": _usbip,
    "v4l2": _v4l2,
    "http": _http,
    "chromium": _chromium,
}
