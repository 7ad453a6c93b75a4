"""Keys plugged in and served until told to stop: what ``authrig key run`` does."""

import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from authrig.errors import RigError
from authrig.keys.key_file import KeyFile, load_profile
from authrig.keys.port import Port
from authrig.keys.wires import Cabling, CardReader, Listen
from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid, Direction, ReportTap
from emulators.fido_authenticator.iso7816 import Iso7816
from emulators.fido_authenticator.profile import DEFAULT
from emulators.fido_authenticator.user import AutomaticUser, HandUser, User

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
            # Nobody pays for a web server who does not ask for one.
            from authrig.keys.control import ControlServer  # noqa: PLC0415

            server = opened.enter_context(ControlServer(ports, options.control_port))
            sys.stderr.write(f"control API on {server.url}\n")
        sys.stdout.writelines(f"{port.address}\n" for port in ports.values())
        sys.stdout.flush()
        if options.by_hand:
            threading.Thread(target=_touch_by_lines, args=(tuple(ports.values()),), daemon=True).start()
        ended.wait()


def _ports(options: RunOptions, opened: ExitStack) -> dict[int, Port]:
    """A port for each key, still without power."""
    if options.transport == SMART_CARD:
        if options.traffic:
            raise RigError("--traffic shows CTAPHID messages, and a smart card speaks in APDUs: use another transport")
        reader = CardReader(*options.reader_address)
        if len(options.files) > SLOTS:
            raise RigError(
                f"the card reader has {SLOTS} slots: expected at most so many keys, found {len(options.files)}"
            )
        return {
            number: Port(Iso7816(authenticator), reader.plug(number))
            for number, authenticator in enumerate(_authenticators(options, opened), start=1)
        }
    cabling = Cabling(options.transport, options.listen)
    opened.callback(cabling.close)
    return {
        number: Port(CtapHid(authenticator, _show_traffic() if options.traffic else None), cabling.plug(number))
        for number, authenticator in enumerate(_authenticators(options, opened), start=1)
    }


def _authenticators(options: RunOptions, opened: ExitStack) -> list[Authenticator]:
    def user() -> User:
        return HandUser() if options.by_hand else AutomaticUser()

    if not options.files:
        return [Authenticator(Env.real(), load_profile(options.profile or DEFAULT), user=user())]
    authenticators = []
    for path in options.files:
        key = KeyFile.open(path)
        opened.callback(key.close)
        if options.profile not in (None, key.profile.name):
            raise RigError(f"key file {path}: expected a key of profile {options.profile}, found {key.profile.name}")
        authenticators.append(key.authenticator(user()))
    return authenticators


def _touch_by_lines(ports: Sequence[Port]) -> None:
    """Each line on standard input touches every key that asks for it."""
    for _ in sys.stdin:
        touched = [port.tap() for port in ports]
        sys.stderr.write("touched\n" if any(touched) else "no key asks for a touch now\n")


def _show_traffic() -> ReportTap:
    """A tap that prints each decoded message as soon as it is whole."""
    from authrig.evidence.ctap_lines import CtapTranscript  # noqa: PLC0415 - costs a cold start that few ask for

    transcript = CtapTranscript()

    def show(direction: Direction, report: bytes) -> None:
        transcript.add(direction, report)
        sys.stderr.writelines(f"{line}\n" for line in transcript.take_lines())

    return show
