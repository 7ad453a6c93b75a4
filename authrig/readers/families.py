"""The readers that can be run, and the cables that each goes with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from authrig.errors import RigError
from emulators.camera_scanner.barcode_readers.emulated.de2120 import De2120
from emulators.camera_scanner.barcode_readers.emulated.gm65 import Gm65
from emulators.camera_scanner.barcode_readers.emulated.honeywell import Honeywell
from emulators.camera_scanner.barcode_readers.emulated.memory import FileMemory
from emulators.camera_scanner.barcode_readers.emulated.newland import Newland
from emulators.camera_scanner.barcode_readers.emulated.plain import PlainReader
from emulators.camera_scanner.barcode_readers.emulated.zebra_ssi import ZebraSsi
from emulators.env import Env
from emulators.usb.serial_pty import SerialPty
from emulators.usb.serial_tcp import SerialTcp

if TYPE_CHECKING:
    from argparse import Namespace
    from contextlib import AbstractContextManager, ExitStack

    from emulators.camera_scanner.barcode_readers.emulated.looking import LookingReader
    from emulators.camera_scanner.barcode_readers.emulated.memory import SettingsMemory
    from emulators.camera_scanner.barcode_readers.emulated.reader import SerialReader
    from emulators.camera_scanner.barcode_readers.hid.reader import HidReader
    from emulators.usb.usb_identity import UsbIdentity
    from emulators.usb.usbip_server import UsbIpServer

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Cable(Protocol):
    """A reader at a host."""

    def using(self) -> AbstractContextManager[LookingReader]:
        """The reader, to hold something before it; the cable waits meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class Plugged:
    """A reader that is plugged in."""

    cable: Cable
    place: str
    """Where a host finds it."""
    in_use: Callable[[], bool]
    """Whether what it says now is heard, as far as that can be told."""


_SERIAL: dict[str, Callable[[Env, SettingsMemory | None], SerialReader]] = {
    "gm65": Gm65,
    "newland": Newland,
    "honeywell": Honeywell,
    "zebra-ssi": ZebraSsi,
    "de2120": De2120,
}


class _Pty(SerialPty["SerialReader"]):
    """A terminal that knows whether a host understands it."""

    def in_use(self) -> bool:
        """Whether a program has set the reader's baud rate; a new terminal has another one, but for 38400."""
        return not self._speeds_differ()


class _Tcp(SerialTcp["SerialReader"]):
    """A port that knows whether a host has connected."""

    def in_use(self) -> bool:
        """Whether one has."""
        return self._host is not None


def plug_in(args: Namespace, opened: ExitStack) -> Plugged:
    """The reader that ``args`` of the command line ask for, at work until ``opened`` is closed.

    Raises:
        RigError: if they do not go together.
        PlugError: if it cannot be plugged in.
        ValueError: if its memory holds something else.
    """
    if args.host not in _LOOPBACK and args.transport in ("tcp", "usbip"):
        sys.stderr.write(f"anyone who reaches {args.host} can read what it reads\n")
    if args.family != "wedge" and not (args.layout is args.typing is args.encoding is None):
        raise RigError(f"--layout, --typing and --encoding go with --family wedge: {args.family} sends bytes")
    if args.family in ("wedge", "pos"):
        return _hid(args, opened)
    return _serial(args, opened)


def _serial(args: Namespace, opened: ExitStack) -> Plugged:
    reader = _serial_reader(args)
    if args.transport == "pty":
        pty = opened.enter_context(_Pty(reader, args.link))
        return Plugged(pty, pty.path if args.link is None else str(args.link), pty.in_use)
    if args.transport == "tcp":
        tcp = opened.enter_context(_Tcp(reader, args.host, args.port or 0))
        host, port = tcp.address
        return Plugged(tcp, f"socket://{host}:{port}", tcp.in_use)
    if args.transport == "usbip":
        from emulators.usb.usb_identity import UsbIdentity  # noqa: PLC0415 - only what is run is imported, also below
        from emulators.usb.usbip_function import composite_device  # noqa: PLC0415 - see above
        from emulators.usb.usbip_serial import UsbSerial  # noqa: PLC0415 - see above

        server = _server(args, opened)
        serial = opened.enter_context(UsbSerial(reader))
        identity = _named(UsbIdentity(0x1209, 0x0004, 0x0100, "Authrig", "Authrig test reader"), args)
        busid = server.plug_in(composite_device(identity, serial.function))
        opened.callback(server.unplug, busid)
        return Plugged(serial, _bus_place(server, busid), lambda: serial.line.dtr)
    raise RigError(f"--family {args.family} is a serial device: choose --transport pty, tcp or usbip")


def _serial_reader(args: Namespace) -> SerialReader:
    if args.family == "plain":
        if args.memory is not None:
            raise RigError("--memory: a plain reader has no settings to keep")
        return PlainReader(Env.real())
    return _SERIAL[args.family](Env.real(), None if args.memory is None else FileMemory(args.memory))


def _hid(args: Namespace, opened: ExitStack) -> Plugged:
    from emulators.camera_scanner.barcode_readers.hid.shell import POS_IDENTITY, WEDGE_IDENTITY  # noqa: PLC0415 - see above

    if args.memory is not None:
        raise RigError(f"--memory: {args.family} has no settings to keep")
    reader = _hid_reader(args)
    identity = _named(WEDGE_IDENTITY if args.family == "wedge" else POS_IDENTITY, args)
    if args.transport == "uhid":
        from emulators.camera_scanner.barcode_readers.hid.uhid_cable import UhidReader  # noqa: PLC0415 - see above

        uhid = opened.enter_context(UhidReader(reader, identity))
        return Plugged(uhid, str(uhid.path), lambda: uhid.in_use)
    if args.transport == "usbip":
        from emulators.camera_scanner.barcode_readers.hid.usb_cable import UsbReader  # noqa: PLC0415 - see above

        server = _server(args, opened)
        usb = opened.enter_context(UsbReader(reader, identity, server))
        assert usb.busid is not None
        return Plugged(usb, _bus_place(server, usb.busid), lambda: usb.in_use)
    raise RigError(f"--family {args.family} is a HID device: choose --transport usbip or uhid")


def _hid_reader(args: Namespace) -> HidReader:
    from emulators.camera_scanner.barcode_readers.hid.pos import HidPosReader  # noqa: PLC0415 - see above
    from emulators.camera_scanner.barcode_readers.hid.strokes import Typing  # noqa: PLC0415 - see above
    from emulators.camera_scanner.barcode_readers.hid.wedge import KeyboardWedge, WedgeSettings  # noqa: PLC0415 - see above

    if args.family == "wedge":
        settings = WedgeSettings(args.layout or "us", Typing(args.typing or "keys"), encoding=args.encoding or "cp1252")
        return KeyboardWedge(Env.real(), settings)
    return HidPosReader(Env.real())


def _server(args: Namespace, opened: ExitStack) -> UsbIpServer:
    from emulators.usb.usbip_server import PORT, UsbIpServer  # noqa: PLC0415 - see above

    return opened.enter_context(UsbIpServer(args.host, PORT if args.port is None else args.port))


def _bus_place(server: UsbIpServer, busid: str) -> str:
    host, port = server.address
    return f"{host}:{port}/{busid}"


def _named(identity: UsbIdentity, args: Namespace) -> UsbIdentity:
    """``identity`` with the numbers that were asked for; its names say that it is a test device all the same."""
    if args.usb_id is None:
        return identity
    vendor, product = args.usb_id
    return replace(identity, vendor=vendor, product=product)
