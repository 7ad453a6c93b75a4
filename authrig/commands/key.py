"""``authrig key``: an emulated FIDO security key for tools that open a device."""

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from authrig.errors import RigError

if TYPE_CHECKING:
    from emulators.fido_authenticator.ctaphid import Direction, ReportTap
    from emulators.fido_authenticator.user import HandUser


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("key", help="an emulated FIDO security key")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    pty = actions.add_parser(
        "pty",
        help="plug the key into a pseudo-terminal and print its path",
        description="Prints a path that libfido2's tools take for a security key (fido2-token -I PATH), and serves it until "
        "interrupted. It is a test device: what it keeps protects nothing.",
    )
    pty.add_argument(
        "--store", type=Path, metavar="FILE", help="keep the key's memory in FILE; default: forget it at the end"
    )
    pty.add_argument(
        "--touch",
        choices=("auto", "enter"),
        default="auto",
        help="auto: touched as soon as it asks; enter: a line on standard input is a touch (default: auto)",
    )
    pty.add_argument("--traffic", action="store_true", help="show the decoded traffic on standard error")
    pty.set_defaults(run=_run_pty)


def _run_pty(args: argparse.Namespace) -> int:
    """Serve the key until SIGINT or SIGTERM."""
    from emulators.env import Env
    from emulators.fido_authenticator.authenticator import Authenticator
    from emulators.fido_authenticator.ctaphid import CtapHid
    from emulators.fido_authenticator.store import MemoryStore, SqliteStore, StoreError
    from emulators.fido_authenticator.transports.pty import PtyTransport
    from emulators.fido_authenticator.user import AutomaticUser, HandUser

    user = AutomaticUser() if args.touch == "auto" else HandUser()
    try:
        store = MemoryStore() if args.store is None else SqliteStore(args.store)
        authenticator = Authenticator(Env.real(), store=store, user=user)
    except StoreError as error:
        raise RigError(str(error)) from error
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        transport = PtyTransport(CtapHid(authenticator, on_report=_show_traffic() if args.traffic else None))
    except OSError as error:
        raise RigError(f"no pseudo-terminal for the key: {error.strerror}; is devpts mounted on /dev/pts?") from error
    with transport:
        sys.stdout.write(f"{transport.path}\n")
        sys.stdout.flush()
        if isinstance(user, HandUser):
            threading.Thread(target=_touch_by_lines, args=(user,), daemon=True).start()
        ended.wait()
    return 0


def _touch_by_lines(user: "HandUser") -> None:
    """Each line on standard input touches the key once."""
    for _ in sys.stdin:
        touched = user.touch()
        sys.stderr.write("touched\n" if touched else "the key does not ask for a touch now\n")


def _show_traffic() -> "ReportTap":
    """A tap that prints each decoded message as soon as it is whole."""
    from authrig.evidence.ctap_lines import CtapTranscript

    transcript = CtapTranscript()

    def show(direction: "Direction", report: bytes) -> None:
        transcript.add(direction, report)
        sys.stderr.writelines(f"{line}\n" for line in transcript.take_lines())

    return show
