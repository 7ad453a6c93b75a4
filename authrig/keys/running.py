"""Keys plugged in and served until told to stop: what ``authrig key run`` does."""

import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from authrig.errors import RigError
from authrig.keys.key_file import KeyFile, load_profile
from authrig.keys.port import Port, Wire
from authrig.keys.wires import Cabling, CardReader, Listen, fitted
from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.iso7816 import Iso7816
from emulators.fido_authenticator.profile import DEFAULT
from emulators.fido_authenticator.user import AutomaticUser, HandUser, User

if TYPE_CHECKING:
    from authrig.captures.capture import Capture
    from authrig.keys.taps import Tap

_Interface = TypeVar("_Interface", CtapHid, Iso7816)

NETWORKED = ("tcp", "usbip")
"""The transports that other machines could reach."""
SMART_CARD = "smartcard"
SLOTS = 2
"""How many cards the Virtual PCD takes."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line asks for. Without ``files`` there is one key that forgets everything at the end."""

    files: Sequence[Path]
    profile: str | None
    transport: str
    listen: Listen
    reader_address: tuple[str, int]
    by_hand: bool
    control_port: int | None
    traffic: bool
    capture: Path | None = None


def run_keys(options: RunOptions) -> None:
    """Serve the keys until SIGINT or SIGTERM; their addresses go to standard output, one a line.

    Raises:
        RigError: if a key or the control API cannot start.
    """
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with ExitStack() as opened:
        ports = _ports(options, opened)
        for port in ports.values():
            opened.callback(port.power_off)
            port.power_on()
        if options.transport in NETWORKED and not options.listen.is_loopback:
            sys.stderr.write(f"anyone who reaches {options.listen.host} can use the keys\n")
        if options.control_port is not None:
            from authrig.keys.control import ControlServer  # noqa: PLC0415 - nobody pays for a web server who asks for none

            server = opened.enter_context(ControlServer(ports, options.control_port))
            sys.stderr.write(f"control API on {server.url}\n")
        sys.stdout.writelines(f"{port.address}\n" for port in ports.values())
        sys.stdout.flush()
        if options.by_hand:
            threading.Thread(target=_touch_by_lines, args=(tuple(ports.values()),), daemon=True).start()
        ended.wait()


def _ports(options: RunOptions, opened: ExitStack) -> dict[int, Port]:
    """A port for each key, still without power."""
    # Nobody pays for captures who does not ask for one.
    record = None if options.capture is None else _capture(options.capture, opened)
    if options.transport == SMART_CARD:
        return _card_ports(options, opened, record)
    cabling = Cabling(options.transport, options.listen)
    opened.callback(cabling.close)
    ports = {}
    for number, authenticator in enumerate(_authenticators(options, opened), start=1):
        profile, clock = authenticator.profile, authenticator.env.clock
        tap = None if record is None else record.hid_tap(profile, clock, f"usb{number}")
        plug = cabling.plug(number) if tap is None else _announced(cabling.plug(number), tap.plugged_in)
        ports[number] = Port(CtapHid(authenticator, _taps(options, tap)), plug)
    return ports


def _card_ports(options: RunOptions, opened: ExitStack, record: "Capture | None") -> dict[int, Port]:
    if len(options.files) > SLOTS:
        raise RigError(f"the card reader has {SLOTS} slots: expected at most so many keys, found {len(options.files)}")
    reader = CardReader(*options.reader_address)
    ports = {}
    for number, authenticator in enumerate(_authenticators(options, opened), start=1):
        profile, clock = authenticator.profile, authenticator.env.clock
        tap = None if record is None else record.card_tap(profile, clock, f"card{number}")
        plug = reader.plug(number) if tap is None else _announced(reader.plug(number), tap.plugged_in)
        ports[number] = Port(Iso7816(authenticator, _taps(options, tap)), plug)
    return ports


def _taps(options: RunOptions, capturing: "Tap | None") -> "Tap | None":
    """All who read along with one key."""
    if not options.traffic:
        return capturing
    from authrig.keys.taps import show_apdus, show_reports, together  # noqa: PLC0415 - a cold start counts

    show = show_apdus() if options.transport == SMART_CARD else show_reports()
    return together([show] if capturing is None else [show, capturing])


def _capture(path: Path, opened: ExitStack) -> "Capture":
    from authrig.captures.capture import Capture  # noqa: PLC0415 - a cold start counts

    capture = Capture(path, lambda sentence: sys.stderr.write(f"authrig: {sentence}\n"))
    opened.callback(capture.close)
    return capture


def _announced(plug: Callable[[_Interface], Wire], announce: Callable[[], None]) -> Callable[[_Interface], Wire]:
    """``plug``, with ``announce`` called before each time: what a capture says of a new device comes before its reports."""

    def announced(interface: _Interface) -> Wire:
        announce()
        return plug(interface)

    return announced


def _authenticators(options: RunOptions, opened: ExitStack) -> list[Authenticator]:
    def user() -> User:
        return HandUser() if options.by_hand else AutomaticUser()

    wire = options.transport
    if not options.files:
        return [Authenticator(Env.real(), fitted(load_profile(options.profile or DEFAULT), wire), user=user())]
    authenticators = []
    for path in options.files:
        key = KeyFile.open(path)
        opened.callback(key.close)
        if options.profile not in (None, key.profile.name):
            raise RigError(f"key file {path}: expected a key of profile {options.profile}, found {key.profile.name}")
        authenticators.append(replace(key, profile=fitted(key.profile, wire)).authenticator(user()))
    return authenticators


def _touch_by_lines(ports: Sequence[Port]) -> None:
    """Each line on standard input touches every key that asks for it."""
    for _ in sys.stdin:
        touched = [port.tap() for port in ports]
        sys.stderr.write("touched\n" if any(touched) else "no key asks for a touch now\n")
