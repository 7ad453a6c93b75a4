"""``authrig reader``: be the barcode reader that another program opens."""

import argparse
from pathlib import Path
from typing import Any

from authrig.commands.arguments import address, seconds, usb_id

FAMILIES = ("gm65", "newland", "honeywell", "zebra-ssi", "de2120", "plain", "wedge", "pos")
TRANSPORTS = ("pty", "tcp", "usbip", "uhid")
TYPINGS = ("keys", "keys-and-alt-codes", "alt-codes", "keys-and-control")


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("reader", help="be the barcode reader that another program opens")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    run = actions.add_parser(
        "run",
        help="read codes as a barcode reader of a family, until interrupted",
        description="Reads what its camera sees, a code, or each line of standard input, tells its host as readers of the family do, and prints where a host finds it.",
    )
    run.add_argument(
        "--family",
        choices=FAMILIES,
        required=True,
        help="wedge: a keyboard that types what it reads; pos: HID-POS; plain: a serial reader without commands; others: serial readers with the commands of their family",
    )
    run.add_argument(
        "--transport",
        choices=TRANSPORTS,
        required=True,
        help="pty, tcp: for serial families; usbip: a USB device to attach, for all; uhid: a HID device of this Linux machine, for wedge and pos",
    )
    shown = run.add_mutually_exclusive_group()
    shown.add_argument(
        "--camera",
        metavar="N|NAME|URL|screen|FILE",
        help="read what this camera, stream, screen, picture or video shows",
    )
    shown.add_argument("--code", metavar="TEXT", help="read TEXT, once, and keep it in view")
    run.add_argument("--every", type=seconds, metavar="S", help="with --code: read it again every S seconds")
    run.add_argument(
        "--no-button", action="store_true", help="do not press the reader's button for each code: its host triggers it"
    )
    _add_what_some_have(run)
    run.set_defaults(run=_run)


def _add_what_some_have(run: argparse.ArgumentParser) -> None:
    """Options of some families and transports only."""
    run.add_argument(
        "--layout", metavar="NAME", help="for wedge: the keyboard layout that it believes in (default: us)"
    )
    run.add_argument(
        "--typing", choices=TYPINGS, help="for wedge: how it types what its layout has no key for (default: keys: not)"
    )
    run.add_argument(
        "--encoding", metavar="NAME", help="for wedge: what it takes bytes of a code for (default: cp1252; or utf-8)"
    )
    run.add_argument("--memory", type=Path, metavar="FILE", help="for serial families: keep their settings in FILE")
    run.add_argument("--link", type=Path, metavar="PATH", help="for pty: put a link to the terminal there")
    run.add_argument(
        "--listen",
        type=address,
        default=("127.0.0.1", None),
        metavar="HOST:PORT",
        help="for tcp and usbip (default: on loopback, port 3240 for usbip and a free one for tcp)",
    )
    run.add_argument(
        "--usb-id", type=usb_id, metavar="VVVV:PPPP", help="for usbip and uhid: the numbers that programs look for"
    )


def _run(args: argparse.Namespace) -> int:
    from authrig.errors import RigError
    from authrig.readers.run import run_reader

    if args.every is not None and args.code is None:
        raise RigError("--every goes with --code")
    if args.link is not None and args.transport != "pty":
        raise RigError("--link goes with --transport pty")
    if args.usb_id is not None and args.transport not in ("usbip", "uhid"):
        raise RigError("--usb-id goes with --transport usbip or uhid")
    args.host, args.port = args.listen
    run_reader(args)
    return 0
