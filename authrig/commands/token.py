"""``authrig token``: emulated offline QR tokens, as files, in one's hand, and as devices that programs talk to."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from authrig.commands.arguments import address, seconds

if TYPE_CHECKING:
    from authrig.tokens.handled import HandledToken

DEFAULT_PROFILE = "qr-reader-keypad"
TRANSPORTS = ("pty", "tcp", "usbip")
KEYS = ("ok", "cancel", *"0123456789")
_CAMERA_HELP = (
    "what it sees while it scans: camera N of this machine or the one with NAME in its name, an HTTP stream of JPEG "
    "pictures, screen or screen:LEFT,TOP,WIDTH,HEIGHT, a picture or video, a folder (each picture that appears in it), or "
    "synthetic:PICTURE (a photograph of it)"
)


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("token", help="emulated offline QR tokens")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_new(actions)
    _add_run(actions)
    _add_activate(actions)
    _add_hands(actions)
    _add_looks(actions)
    _add_readers(actions)


def _add_new(actions: Any) -> None:
    new = actions.add_parser("new", help="make a token, in a file")
    _add_file(new, "where; never overwritten")
    new.add_argument(
        "--profile",
        default=DEFAULT_PROFILE,
        metavar="NAME|FILE.toml",
        help="which model (default: %(default)s; `authrig token profiles` lists them)",
    )
    new.add_argument("--serial", metavar="TEXT", help="its serial number (default: one of its own)")
    new.add_argument(
        "--seed", type=int, metavar="N", help="make its secrets repeatable, for tests: anyone can predict them"
    )
    new.set_defaults(run=_new)


def _add_run(actions: Any) -> None:
    run = actions.add_parser(
        "run",
        help="switch a token on and let it run: its console on a serial line, its screen in the terminal",
        description="Runs the token until interrupted. Its console (docs/reference/token-console.md) is on the line whose "
        "address is printed; with --live its screen and keys are in the terminal. It is a test device: what it keeps "
        "protects nothing.",
    )
    _add_file(run)
    run.add_argument("--live", action="store_true", help="show the screen and take keys in the terminal")
    run.add_argument(
        "--transport", choices=TRANSPORTS, help="what its console is on (default: pty, and nothing with --live)"
    )
    run.add_argument(
        "--listen",
        type=address,
        default=("127.0.0.1", None),
        metavar="HOST:PORT",
        help="for tcp and usbip (default: on loopback, a free port, and 3240 for usbip)",
    )
    run.add_argument("--link", type=Path, metavar="PATH", help="for pty: put a symbolic link to the terminal here")
    run.add_argument("--camera", metavar="SOURCE", help=_CAMERA_HELP)
    run.add_argument(
        "--control", type=int, metavar="PORT", help="serve the console over HTTP on 127.0.0.1:PORT; 0 takes a free port"
    )
    run.add_argument(
        "--production", action="store_true", help="the console answers only what a token in its user's hand would"
    )
    run.set_defaults(run=_run)


def _add_activate(actions: Any) -> None:
    activate = actions.add_parser(
        "activate",
        help="take a token into use",
        description="By an activation message (a picture of its QR code), by a file of seeds, or by the server of an app.",
    )
    _add_file(activate)
    activate.add_argument(
        "picture", type=Path, nargs="?", metavar="IMAGE", help="an OTQ1 activation message; with --app, the enrolment"
    )
    activate.add_argument(
        "--code", metavar="DIGITS", help="the code on the letter; with --app, the app's activation code"
    )
    activate.add_argument(
        "--seeds", metavar="FILE|-", help="PSKC, CSV, or a line SERIAL,SEED: the seed of this token's serial is taken"
    )
    activate.add_argument("--password-file", type=Path, metavar="FILE", help="with --seeds: the password of the PSKC")
    activate.add_argument("--app", metavar="URL", help="the verification cloud that an app enrols at, with --code")
    activate.add_argument("--json", action="store_true", help="one JSON document on standard output")
    activate.set_defaults(run=_activate)


def _add_hands(actions: Any) -> None:
    press = actions.add_parser(
        "press",
        help="press keys; a dark token is switched on first",
        description="Presses the keys one after another and prints the screen. The next command finds the token as this one "
        "left it, until it goes dark by itself.",
    )
    _add_file(press)
    press.add_argument(
        "keys", nargs="+", type=_key, metavar="KEY", help="ok, cancel, 0 to 9; hold:ok and hold:cancel for a long press"
    )
    press.set_defaults(run=_press)
    typed = actions.add_parser("type", help="type digits and finish, on a keypad or with two buttons")
    _add_file(typed)
    typed.add_argument("digits", metavar="DIGITS|-", help="such as a PIN; - reads a line of standard input")
    typed.set_defaults(run=_type)
    scan = actions.add_parser("scan", help="hold a picture or a video before its camera")
    _add_file(scan)
    scan.add_argument(
        "picture", type=Path, metavar="IMAGE", help="a file; of a video the first frame that has any code"
    )
    scan.set_defaults(run=_scan)
    power = actions.add_parser("power", help="switch it on, or take its power away")
    _add_file(power)
    power.add_argument("power", choices=("on", "off"), help="what it is to be")
    power.set_defaults(run=_power)
    network = actions.add_parser("network", help="for an app: go on or offline")
    _add_file(network)
    network.add_argument("network", choices=("online", "offline"), help="what it is to be")
    network.set_defaults(run=_network)
    for parser in (press, typed, scan, power, network):
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def _add_looks(actions: Any) -> None:
    screen = actions.add_parser("screen", help="look at its screen; an app that is online asks its server for pushes")
    _add_file(screen)
    screen.add_argument("--png", type=Path, metavar="FILE", help="write a picture of the device")
    screen.set_defaults(run=_screen)
    wait = actions.add_parser(
        "wait", help="let time pass until it shows something else: a push has come, or it has gone dark"
    )
    _add_file(wait)
    wait.add_argument(
        "--seconds", type=seconds, default=60.0, metavar="S", help="how long (default: 60); then exit code 1"
    )
    wait.set_defaults(run=_wait)
    for parser in (screen, wait):
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def _add_readers(actions: Any) -> None:
    state = actions.add_parser("state", help="what is in its memory, without secrets")
    _add_file(state)
    state.set_defaults(run=_state)
    profiles = actions.add_parser("profiles", help="the models that a token can be")
    profiles.set_defaults(run=_profiles)
    for parser in (state, profiles):
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")


def _add_file(parser: Any, text: str = "the token") -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help=text)


def _key(text: str) -> tuple[str, bool]:
    """A key, and whether it is held."""
    hold, colon, name = text.rpartition(":")
    if name not in KEYS or (colon and hold != "hold"):
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(KEYS)}, or hold: before it, found {text!r}")
    return name, bool(colon)


def _new(args: argparse.Namespace) -> int:
    from authrig.tokens.token_file import TokenFile

    with TokenFile.create(args.file, args.profile, args.serial, args.seed) as file:
        sys.stdout.write(f"{file.memory().serial}\n")
    return 0


def _run(args: argparse.Namespace) -> int:
    from authrig.errors import RigError
    from authrig.keys.wires import Listen
    from authrig.tokens.running import RunOptions, run_token

    transport = args.transport or (None if args.live else "pty")
    if args.link is not None and transport != "pty":
        raise RigError("--link goes with --transport pty")
    return run_token(
        RunOptions(
            file=args.file,
            live=args.live,
            transport=transport,
            listen=Listen(*args.listen),
            link=args.link,
            camera=args.camera,
            control_port=args.control,
            production=args.production,
        )
    )


def _activate(args: argparse.Namespace) -> int:
    from authrig.errors import RigError
    from authrig.tokens.activation import enrol_app, provision, read_input
    from authrig.tokens.errands import Courier
    from authrig.tokens.token_file import TokenFile
    from authrig.tokens.use import activate, read_codes_in

    if sum(way is not None for way in (args.seeds, args.app or args.picture)) != 1:
        raise RigError("activate by one of: IMAGE, --seeds FILE, --app URL")
    if args.app is None and args.picture is not None:
        return _act(args, lambda token: activate(token, args.picture, args.code))
    with TokenFile.open(args.file) as file:
        if args.seeds is not None:
            password = None
            if args.password_file is not None:
                password = read_input(str(args.password_file)).decode("utf-8", "replace").rstrip("\r\n")
            provision(file, read_input(args.seeds), args.seeds, password=password)
        elif (args.code is None) is (args.picture is None):
            raise RigError("--app wants the activation code too: --code DIGITS, or an IMAGE of its QR code")
        else:
            code = args.code or read_codes_in(args.picture)[0].decode("utf-8", "replace")
            enrol_app(file, Courier(), args.app, code)
    return _state(args)


def _press(args: argparse.Namespace) -> int:
    def press(token: "HandledToken") -> None:
        from emulators.hwtoken.keys import Button

        for name, held in args.keys:
            token.press(Button(name), held=held)

    return _act(args, press)


def _type(args: argparse.Namespace) -> int:
    from authrig.tokens.use import type_digits

    digits = sys.stdin.readline().strip() if args.digits == "-" else args.digits
    return _act(args, lambda token: type_digits(token, digits))


def _scan(args: argparse.Namespace) -> int:
    from authrig.tokens.use import scan

    return _act(args, lambda token: scan(token, args.picture))


def _power(args: argparse.Namespace) -> int:
    return _act(args, lambda token: token.power(on=args.power == "on"))


def _network(args: argparse.Namespace) -> int:
    from authrig.errors import RigError

    def switch(token: "HandledToken") -> None:
        if not token.token.parts.radio.present:
            raise RigError(f"expected a model with a network, such as phone-app, found {token.token.profile.name}")
        token.go_online(online=args.network == "online")

    return _act(args, switch)


def _screen(args: argparse.Namespace) -> int:
    from authrig.errors import RigError
    from authrig.tokens.description import picture

    def look(token: "HandledToken") -> None:
        token.look()
        if args.png is not None:
            try:
                args.png.write_bytes(picture(token))
            except OSError as error:
                raise RigError(f"{args.png}: cannot be written: {error.strerror}") from error

    return _act(args, look)


def _wait(args: argparse.Namespace) -> int:
    import time

    changed = []
    code = _act(args, lambda token: changed.append(token.wait(args.seconds, time.sleep)))
    return code if changed[0] else 1


def _act(args: argparse.Namespace, act: "Callable[[HandledToken], None]") -> int:
    """Do it to the token, and print the screen; 1 where that says that something went wrong."""
    from authrig.tokens.description import screen_document, screen_text

    with _in_hand(args.file) as token:
        act(token)
        document = screen_document(token.token)
        _print_json(document) if args.json else sys.stdout.write(screen_text(token.token))
    return 1 if document["state"] in {"error", "fault"} else 0


@contextmanager
def _in_hand(path: Path) -> "Iterator[HandledToken]":
    from authrig.tokens.errands import Courier
    from authrig.tokens.handled import HandledToken
    from authrig.tokens.token_file import TokenFile
    from emulators.env import SystemClock

    with TokenFile.open(path) as file:
        token = HandledToken(file, SystemClock(), Courier())
        if token.cut_off:
            sys.stderr.write("authrig: a command was ended in the middle; the token is dark, as after a power cut\n")
        yield token


def _state(args: argparse.Namespace) -> int:
    from authrig.tokens.description import describe_file, state_text
    from authrig.tokens.token_file import TokenFile

    with TokenFile.open(args.file) as file:
        described = describe_file(file)
    if args.json:
        return _print_json(described)
    sys.stdout.write(state_text(described))
    return 0


def _profiles(args: argparse.Namespace) -> int:
    from authrig.tokens.description import describe_profiles

    described = describe_profiles()
    if args.json:
        return _print_json(described)
    for each in described:
        sys.stdout.write(f"{each['name']:20}  {each['model']}: {', '.join(each['personalities'])}\n")
    return 0


def _print_json(document: object) -> int:
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0
