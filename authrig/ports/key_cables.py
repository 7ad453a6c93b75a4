"""The two ends of a key's port: an emulated key on any of its transports, and one that is attached to this machine.

A cable opens the key for a host, and plugs it in and out.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol, TypeVar

from fido2.ctap import CtapDevice
from fido2.hid import CtapHidDevice
from fido2.hid.base import CtapHidConnection, HidDescriptor

from authrig.attached.hands import NoSwitch, Switch
from authrig.attached.inventory import Attachment, find, inventory
from authrig.errors import RigError
from authrig.keys.attached import NodeConnection
from authrig.keys.port import Wire
from authrig.keys.wires import Cabling, Listen
from authrig.rig_file.entries import UsbMatch
from emulators.fido_authenticator.ctaphid import REPORT_BYTES, CtapHid, ReportTap
from emulators.fido_authenticator.transports.in_process import InProcessTransport
from emulators.usb.hid_binding import HidBinding

PATIENCE = 10.0
"""Seconds for a device node to come or go."""


class KeyGoneError(RigError, OSError):
    """A key at this machine was pulled out in the middle, or has hung."""

    def __init__(self, name: str, error: OSError) -> None:
        super().__init__(f"{name} was unplugged in the middle, or has hung: {error.strerror or error}")


class Cable(Protocol):
    """What a key is plugged in by."""

    @property
    def has_reports(self) -> bool:
        """Whether the key speaks CTAPHID, so that ``connect`` makes sense."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether several programs may have the key open at once."""
        ...

    @property
    def has_power_switch(self) -> bool:
        """Whether something, or somebody, can unplug the key."""
        ...

    @property
    def has_own_clock(self) -> bool:
        """Whether time passes in the key as it does in the world, whatever the rig's clock says."""
        ...

    def open(self, tap: ReportTap) -> CtapDevice:
        """A new host's connection; ``tap`` gets each report.

        Raises:
            RigError: if the key is not there.
        """
        ...

    def connect(self, tap: ReportTap) -> CtapHidConnection:
        """As ``open``, for a host that writes and reads reports itself.

        Raises:
            RigError: if the key is not there, or speaks no CTAPHID.
        """
        ...

    def plug_in(self) -> None:
        """Give the key power; a key that has it stays as it is.

        Raises:
            RigError: if that cannot be done.
        """
        ...

    def unplug(self) -> None:
        """Take the power away.

        Raises:
            RigError: if that cannot be done.
        """
        ...

    def close(self) -> None:
        """Put away what was opened; an attached key stays plugged in."""
        ...


class InProcessCable:
    """An emulated key in this process: no kernel, and no time lost."""

    def __init__(self, hid: CtapHid) -> None:
        self._hid = hid
        self._transport: InProcessTransport | None = InProcessTransport(hid)
        self.has_reports = self.has_power_switch = self.is_shared = True
        self.has_own_clock = False

    def open(self, tap: ReportTap) -> CtapDevice:
        """A host in this process."""
        return _hid_device(self._hid, "in-process", self.connect(tap))

    def connect(self, tap: ReportTap) -> CtapHidConnection:
        """A host in this process, with nothing between it and the reports."""
        if self._transport is None:
            raise RigError("the key is not plugged in")
        return _Tapped(self._transport.connect(), tap)

    def plug_in(self) -> None:
        """Give the key power."""
        if self._transport is None:
            self._hid.power_cycle()
            self._transport = InProcessTransport(self._hid)

    def unplug(self) -> None:
        """Take the power away; hosts read an error."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def close(self) -> None:
        """Unplug it."""
        self.unplug()


class WiredCable:
    """An emulated key on a wire of ``authrig key run``: pty, tcp, uhid or usbip.

    On USB/IP it attaches the key to this machine's kernel, for which it needs root and the command ``usbip``.
    """

    def __init__(self, hid: CtapHid, transport: str) -> None:
        self._hid = hid
        self._transport = transport
        self._cabling = Cabling(transport, Listen(port=0))
        self._plug = self._cabling.plug(1)
        self._wire: Wire | None = self._plug(hid)
        self.has_reports = self.has_power_switch = True
        self.is_shared = transport in {"uhid", "usbip"}
        self.has_own_clock = False

    def open(self, tap: ReportTap) -> CtapDevice:
        """A host that opens the node, or connects."""
        return _hid_device(self._hid, self._transport, self.connect(tap))

    def connect(self, tap: ReportTap) -> CtapHidConnection:
        """The node, or the connection, itself."""
        if self._wire is None:
            raise RigError("the key is not plugged in")
        address = self._wire.address
        if self._transport == "tcp":
            host, _, port = address.rpartition(":")
            return _Tapped(_TcpConnection(host, int(port)), tap)
        node = Path(address) if self._transport != "usbip" else self._attached_node(address)
        return _Tapped(NodeConnection(node), tap)

    def plug_in(self) -> None:
        """Give the key power."""
        if self._wire is None:
            self._hid.power_cycle()
            self._wire = self._plug(self._hid)
            if self._transport == "usbip":
                # On a bus a key has power once a kernel has taken it, which has to let go of the one before first.
                _wait_for(self._let_go)
                self._attached_node(self._wire.address)

    def unplug(self) -> None:
        """Take the power away; hosts read an error."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def close(self) -> None:
        """Unplug it, and stop listening."""
        self.unplug()
        self._cabling.close()

    @property
    def _serial(self) -> str:
        return self._hid.authenticator.profile.usb.serial_number

    def _let_go(self) -> None:
        if any(one.serial == self._serial for one in inventory()):
            raise RigError("the kernel still has the key that was unplugged")

    def _attached_node(self, address: str) -> Path:
        """The node of the key on the bus at ``address`` (host:port/busid), attached if it is not yet."""
        name, match = "the key on USB/IP", UsbMatch(serial=self._serial)

        def look() -> Path:
            return _usable(find("fido", match, inventory(), name), name)

        if any(one.serial == self._serial for one in inventory()):
            return _wait_for(look)
        with closing(HidBinding(f"HID_UNIQ={self._serial}")) as binding:
            where, _, busid = address.partition("/")
            host, _, port = where.rpartition(":")
            _attach(host, port, busid)
            node = _wait_for(look)
            binding.wait()
        return node


class HidrawCable:
    """A key at this machine, on /dev/hidrawN: the one that ``match`` means."""

    def __init__(self, name: str, match: UsbMatch, switch: Switch) -> None:
        self._name = name
        self._match = match
        self._switch = switch
        self.has_reports = self.has_own_clock = self.is_shared = True
        self.has_power_switch = not isinstance(switch, NoSwitch)
        self._node()

    def open(self, tap: ReportTap) -> CtapDevice:
        """A host that opens the node."""
        found = self._node()
        descriptor = HidDescriptor(
            str(found.node),
            found.vendor or 0,
            found.product or 0,
            REPORT_BYTES,
            REPORT_BYTES,
            found.name,
            found.serial or None,
        )
        return CtapHidDevice(descriptor, self._tapped(found, tap))

    def connect(self, tap: ReportTap) -> CtapHidConnection:
        """The node itself."""
        return self._tapped(self._node(), tap)

    def _tapped(self, found: Attachment, tap: ReportTap) -> CtapHidConnection:
        return _Tapped(_Attached(_open_node(found.node), f"{self._name} ({found.node})"), tap)

    def plug_in(self) -> None:
        """Have power given, and wait until the key can be opened."""
        self._switch.power_on()
        _wait_for(lambda: _usable(self._node(), self._name))

    def unplug(self) -> None:
        """Have power taken away, and wait until the kernel has lost the key."""
        node = self._node().node
        self._switch.power_off()
        _wait_for(lambda: _gone(node, self._name))

    def close(self) -> None:
        """Nothing is kept open."""

    def _node(self) -> Attachment:
        return find("fido", self._match, inventory(), self._name)


class ReaderCable:
    """A key as a smart card in the reader of that name."""

    def __init__(self, name: str, reader: str) -> None:
        self._name = name
        self._reader = reader
        self.has_reports = self.has_power_switch = self.is_shared = False
        self.has_own_clock = True

    def open(self, tap: ReportTap) -> CtapDevice:
        """A host that speaks in APDUs; there are no reports to tap.

        Raises:
            RigError: if PC/SC is not at hand, or no reader of that name has a key.
        """
        del tap
        try:
            from fido2.pcsc import CtapPcscDevice  # noqa: PLC0415 - pyscard is there only where readers are
        except ImportError as error:
            raise RigError(f"{self._name}: a smart-card reader needs pyscard: pip install pyscard") from error
        devices = list(CtapPcscDevice.list_devices(self._reader))
        if len(devices) != 1:
            raise RigError(
                f"{self._name}: expected one reader {self._reader} with a key, found {len(devices) or 'none'}"
            )
        return devices[0]

    def connect(self, tap: ReportTap) -> CtapHidConnection:
        """Refuse.

        Raises:
            RigError: always.
        """
        del tap
        raise RigError(f"{self._name}: a key in a smart-card reader speaks in APDUs, not in CTAPHID reports")

    def plug_in(self) -> None:
        """A card that was taken out has to be put back by hand."""

    def unplug(self) -> None:
        """Refuse.

        Raises:
            RigError: always.
        """
        raise RigError(f"{self._name}: nothing takes a card out of the reader {self._reader}")

    def close(self) -> None:
        """Nothing is kept open."""


class _Tapped(CtapHidConnection):
    """A connection whose reports are seen by ``tap`` too."""

    def __init__(self, connection: CtapHidConnection, tap: ReportTap) -> None:
        self._connection = connection
        self._tap = tap

    def read_packet(self) -> bytes:
        report = self._connection.read_packet()
        self._tap("to_host", report)
        return report

    def write_packet(self, data: bytes) -> None:
        self._tap("to_key", data)
        self._connection.write_packet(data)

    def close(self) -> None:
        self._connection.close()


class _Attached(CtapHidConnection):
    """A connection to a key at this machine, whose failures are told by its name."""

    def __init__(self, connection: CtapHidConnection, name: str) -> None:
        self._connection = connection
        self._name = name

    def read_packet(self) -> bytes:
        try:
            return self._connection.read_packet()
        except OSError as error:
            raise KeyGoneError(self._name, error) from error

    def write_packet(self, data: bytes) -> None:
        try:
            self._connection.write_packet(data)
        except OSError as error:
            raise KeyGoneError(self._name, error) from error

    def close(self) -> None:
        self._connection.close()


class _TcpConnection(CtapHidConnection):
    """Raw reports over TCP."""

    def __init__(self, host: str, port: int) -> None:
        try:
            self._socket = socket.create_connection((host, port), PATIENCE)
        except OSError as error:
            raise RigError(f"the key at {host}:{port} cannot be reached: {error.strerror or error}") from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read_packet(self) -> bytes:
        report = b""
        while len(report) < REPORT_BYTES:
            part = self._socket.recv(REPORT_BYTES - len(report))
            if not part:
                raise OSError("the key was unplugged")
            report += part
        return report

    def write_packet(self, data: bytes) -> None:
        self._socket.sendall(data)

    def close(self) -> None:
        self._socket.close()


_Found = TypeVar("_Found")


def _wait_for(look: Callable[[], _Found]) -> _Found:
    """What ``look`` returns once it no longer raises a RigError; udev takes its time.

    Raises:
        RigError: the last one, when patience is at its end.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return look()
        except RigError:
            if time.monotonic() > until:
                raise
        time.sleep(0.02)


def _usable(found: Attachment, name: str) -> Path:
    """The node, which the kernel makes a moment after it lists the device, and udev opens to users still later."""
    if not os.access(found.node, os.R_OK | os.W_OK):
        raise RigError(f"{name}: {found.node} cannot be opened after {PATIENCE:g} s; is there a udev rule for it?")
    return found.node


def _gone(node: Path, name: str) -> None:
    if node.exists():
        raise RigError(f"{name}: {node} is still there {PATIENCE:g} s after its power was taken away")


def _attach(host: str, port: str, busid: str) -> None:
    program = shutil.which("usbip")
    if program is None:
        raise RigError("a key on USB/IP is attached by the command usbip: apt-get install usbip")
    command = [program, "--tcp-port", port, "attach", "-r", host, "-b", busid]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode:
        words = " ".join((done.stderr or done.stdout).split())
        raise RigError(f"{' '.join(command)} failed with exit code {done.returncode}: {words}")


def _open_node(node: Path) -> CtapHidConnection:
    try:
        return NodeConnection(node)
    except OSError as error:
        raise RigError(f"{node}: cannot be opened: {error.strerror}; is there a udev rule for it?") from error


def _hid_device(hid: CtapHid, path: str, connection: CtapHidConnection) -> CtapHidDevice:
    usb = hid.authenticator.profile.usb
    descriptor = HidDescriptor(
        path, usb.vendor_id, usb.product_id, REPORT_BYTES, REPORT_BYTES, usb.product, usb.serial_number or None
    )
    return CtapHidDevice(descriptor, connection)
