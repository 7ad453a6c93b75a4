"""``authrig webcam``: be the webcam that another program opens."""

import argparse
import re
from pathlib import Path
from typing import Any

from authrig.commands.arguments import address, seconds

KINDS = ("usbip", "v4l2", "http", "chromium")


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("webcam", help="be the webcam that another program opens")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    run = actions.add_parser(
        "run",
        help="show pictures, videos and codes as a webcam, until interrupted",
        description="Shows pictures, videos and codes, one after the other and again, and prints where a program finds the webcam.",
    )
    run.add_argument("paths", type=Path, nargs="*", metavar="FILE|FOLDER", help="pictures and videos")
    run.add_argument(
        "--text", action="append", default=[], metavar="TEXT", help="show TEXT as a QR code; may be repeated"
    )
    run.add_argument("--lines", action="store_true", help="show each line of standard input as a QR code, as it comes")
    run.add_argument(
        "--hold", type=seconds, default=2.0, metavar="S", help="seconds for a picture or code (default: 2)"
    )
    run.add_argument(
        "--as",
        dest="kind",
        choices=KINDS,
        required=True,
        help="usbip: a USB device to attach; v4l2: a camera of this Linux machine, through v4l2loopback or vivid; "
        "http: a stream of JPEG pictures; chromium: a file that Chromium plays, and the arguments that make it",
    )
    run.add_argument(
        "--size", type=_size, default=(640, 480), metavar="WxH", help="pixels (default: 640x480; usbip has three)"
    )
    run.add_argument(
        "--fps", type=int, default=30, metavar="N", help="pictures a second (default: 30; usbip: the host's choice)"
    )
    _add_places(run)
    run.set_defaults(run=_run)


def _add_places(run: argparse.ArgumentParser) -> None:
    """Where it is, an option or two for each way to be a webcam."""
    run.add_argument(
        "--listen",
        type=address,
        default=("127.0.0.1", None),
        metavar="HOST:PORT",
        help="for usbip and http (default: on loopback, port 3240 for usbip and a free one for http)",
    )
    run.add_argument(
        "--serial", default="", metavar="TEXT", help="for usbip: its serial number, by which a rig file knows it"
    )
    run.add_argument("--device", type=Path, metavar="/dev/videoN", help="for v4l2: the output to write to")
    run.add_argument("--file", type=Path, metavar="FILE", help="for chromium: ends in .y4m or .mjpeg; is overwritten")


def _run(args: argparse.Namespace) -> int:
    from authrig.devices.webcam_run import WebcamOptions, run_webcam
    from authrig.errors import RigError

    for option, given, kind in (
        ("--serial", args.serial, "usbip"),
        ("--device", args.device, "v4l2"),
        ("--file", args.file, "chromium"),
    ):
        if given and args.kind != kind:
            raise RigError(f"{option} goes with --as {kind}")
    host, port = args.listen
    run_webcam(
        WebcamOptions(
            paths=args.paths,
            texts=args.text,
            from_lines=args.lines,
            hold=args.hold,
            kind=args.kind,
            size=args.size,
            frames_per_second=args.fps,
            host=host,
            port=port,
            serial_number=args.serial,
            device=args.device,
            file=args.file,
        )
    )
    return 0


def _size(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT, both even and no more than a camera has."""
    found = re.fullmatch(r"(\d{1,4})x(\d{1,4})", text)
    size = (int(found[1]), int(found[2])) if found else (0, 0)
    if not all(16 <= side <= 4096 and side % 2 == 0 for side in size):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT, even numbers of 16 to 4096, found {text}")
    return size
