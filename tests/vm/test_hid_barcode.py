import ctypes.util
import errno
import fcntl
import itertools
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest
from evdev import InputDevice, ecodes, list_devices

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace
from emulators.camera_scanner.barcode_readers.hid.layout import Modifier, Stroke, load_layout
from emulators.camera_scanner.barcode_readers.hid.mangling import mangled, typed_text
from emulators.camera_scanner.barcode_readers.hid.pos import HidPosReader
from emulators.camera_scanner.barcode_readers.hid.reader import HidReader
from emulators.camera_scanner.barcode_readers.hid.shell import POS_IDENTITY, WEDGE_IDENTITY, HidShell
from emulators.camera_scanner.barcode_readers.hid.uhid_cable import UhidReader
from emulators.camera_scanner.barcode_readers.hid.usb_cable import UsbReader
from emulators.camera_scanner.barcode_readers.hid.wedge import KeyboardWedge, WedgeSettings
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.env import Env
from emulators.usb.hid_binding import HidBinding
from emulators.usb.usb_identity import UsbIdentity
from emulators.usb.usbip_server import UsbIpServer
from offline_qr.badge import SecureBadge
from tests.emulators.camera_scanner.barcode_readers.hid.kernel_keys import KEYS
from tests.emulators.camera_scanner.barcode_readers.hid.xkb_host import XkbHost
from tests.vm.cameras import attach
from tests.vm.conftest import node_with, settle, wait_for

BADGE = SecureBadge(bytes(range(16)), bytes(range(100, 132))).text
SLOW_SECONDS = 100.0
_serial = itertools.count(1)


class Plugged:
    """A reader in the guest's port."""

    def __init__(self, cable: HidShell[HidReader], identity: UsbIdentity) -> None:
        self.cable = cable
        self._serial_number = identity.serial_number

    def show(self, *codes: bytes) -> None:
        """Hold codes before it, one after the other."""
        with self.cable.using() as reader:
            for code in codes:
                reader.show(None)
                reader.show(Code(code))

    @property
    def keyboard(self) -> InputDevice[str]:
        """Its node, which nobody else reads."""

        def look() -> InputDevice[str] | None:
            for path in list_devices():
                try:
                    device = InputDevice(path)
                except OSError:  # the one before is still going
                    continue
                if device.uniq == self._serial_number:
                    return device
                device.close()
            return None

        settle()
        device = wait_for(look)
        device.grab()
        return device

    @property
    def hidraw(self) -> Path:
        """Its node."""
        return wait_for(lambda: node_with(f"HID_UNIQ={self._serial_number}"))


Plug = Callable[[HidReader, UsbIdentity], Plugged]


@pytest.fixture(params=["uhid", "usbip"])
def plug(request: pytest.FixtureRequest) -> Iterator[Plug]:
    """Plugs readers in, both ways."""
    with ExitStack() as stack:
        server = stack.enter_context(UsbIpServer(port=0)) if request.param == "usbip" else None

        def plug(reader: HidReader, identity: UsbIdentity) -> Plugged:
            number = f"reader-{next(_serial)}"
            mine = replace(identity, serial_number=number)
            if server is None:
                uhid = stack.enter_context(UhidReader(reader, mine))
                assert uhid.path.exists()
                return Plugged(uhid, mine)
            cable = stack.enter_context(UsbReader(reader, mine, server))
            with closing(HidBinding(f"HID_UNIQ={number}")) as binding:
                attach(server, cable.busid)
                wait_for(lambda: node_with(f"HID_UNIQ={number}"))
                assert binding.wait(30)
            return Plugged(cable, mine)

        yield plug


def key_events(keyboard: InputDevice[str], enters: int = 1) -> list[tuple[int, bool]]:
    """What is pressed and released until Enter has come up so often."""
    events: list[tuple[int, bool]] = []
    deadline = time.monotonic() + SLOW_SECONDS
    while events.count((ecodes.KEY_ENTER, False)) < enters:
        assert select.select([keyboard], [], [], deadline - time.monotonic())[0], f"no Enter after {len(events)} events"
        for event in keyboard.read():
            assert (event.type, event.code) != (ecodes.EV_SYN, ecodes.SYN_DROPPED), "the kernel has dropped events"
            if event.type == ecodes.EV_KEY and event.value in (0, 1):
                events.append((event.code, event.value == 1))
    return events


def text_of(events: list[tuple[int, bool]], layout: str) -> str:
    """What a host with ``layout`` types: by libxkbcommon where this machine has it, else by our own tables."""
    host = load_layout(layout)
    if ctypes.util.find_library("xkbcommon"):
        xkb = XkbHost(host.xkb)
        return "".join(xkb.key(code, down=down) for code, down in events)
    usages = {key: usage for usage, key in KEYS.items()}
    held = Modifier.NONE
    strokes = []
    for code, down in events:
        usage = usages[code]
        if usage >= 0xE0:
            held ^= Modifier(1 << (usage - 0xE0))
        elif down:
            strokes.append(Stroke(usage, held))
    return typed_text(strokes, host)


@pytest.mark.parametrize("layout", ["us", "de"])
def test_a_badge_is_typed(plug: Plug, layout: str) -> None:
    """Whole on a host with the reader's layout, and mangled as predicted on one with another."""
    wedge = plug(KeyboardWedge(Env.real(), WedgeSettings(layout)), WEDGE_IDENTITY)
    keyboard = wedge.keyboard
    assert (keyboard.info.vendor, keyboard.info.product) == (0x1209, 0x0005)
    assert "test keyboard wedge" in keyboard.name
    wedge.show(BADGE.encode())
    events = key_events(keyboard)
    assert text_of(events, layout) == BADGE + "\r"
    other = "de" if layout == "us" else "us"
    found = text_of(events, other)
    assert found == mangled(BADGE + "\r", load_layout(layout), load_layout(other)) != BADGE + "\r"


def test_caps_lock_is_heeded(plug: Plug) -> None:
    """The host's lamp reaches the reader, and Caps Lock is pressed before and after."""
    wedge = plug(KeyboardWedge(Env.real()), WEDGE_IDENTITY)
    keyboard = wedge.keyboard
    keyboard.set_led(ecodes.LED_CAPSL, 1)

    def heard() -> bool:
        with wedge.cable.using() as reader:
            assert isinstance(reader, KeyboardWedge)
            return reader.caps_lock

    wait_for(heard)
    wedge.show(b"AbC")
    events = key_events(keyboard)
    assert events[:2] == [(ecodes.KEY_CAPSLOCK, True), (ecodes.KEY_CAPSLOCK, False)]
    assert text_of([(ecodes.KEY_CAPSLOCK, True), (ecodes.KEY_CAPSLOCK, False), *events], "us") == "AbC\r"


def feature_report(node: int, report_id: int, length: int) -> bytes:
    """HIDIOCGFEATURE."""
    buffer = bytearray((report_id,)).ljust(length, b"\0")
    found = fcntl.ioctl(node, 0xC0004807 | length << 16, buffer)
    return bytes(buffer[:found])


def read_report(node: int) -> bytes:
    """The next one."""
    assert select.select([node], [], [], SLOW_SECONDS)[0], "no report"
    return os.read(node, 128)


def test_hid_pos_reports_are_read(plug: Plug) -> None:
    """Bytes that are no text, in more than one report, once the host has triggered; and its attributes."""
    data = bytes(range(256))
    pos = plug(HidPosReader(Env.real(), Pace(TriggerMode.HOST)), POS_IDENTITY)
    node = os.open(pos.hidraw, os.O_RDWR)
    try:
        assert feature_report(node, 3, 2) == b"\x03\x01"
        # USB refuses a request, which Linux calls a broken pipe; uhid answers with an error.
        with pytest.raises(OSError, match=f"{os.strerror(errno.EIO)}|{os.strerror(errno.EPIPE)}"):
            feature_report(node, 99, 2)
        fcntl.ioctl(node, 0xC0024806, bytearray(b"\xfe\x01"))  # HIDIOCSFEATURE
        assert feature_report(node, 254, 2) == b"\xfe\x01"
        pos.show(data)
        os.write(node, b"\x04\x04")
        reports = [read_report(node) for _ in range(5)]
        assert b"".join(report[5 : 5 + report[1]] for report in reports) == data
        assert [(report[0], report[2:5], report[63]) for report in reports] == [(2, b"]Q1", 1)] * 4 + [(2, b"]Q1", 0)]
        os.write(node, b"\xfd\x03\x16T\r".ljust(64, b"\0"))
        assert read_report(node)[5:61] == data[:56]
    finally:
        os.close(node)


def test_one_of_two_is_pulled_out_while_it_types(plug: Plug) -> None:
    """Its keyboard is gone at once; the other one types on."""
    leaving, staying = (plug(KeyboardWedge(Env.real()), WEDGE_IDENTITY) for _ in range(2))
    gone, kept = leaving.keyboard, staying.keyboard
    leaving.show(b"x" * 2000)
    assert select.select([gone], [], [], SLOW_SECONDS)[0]
    puller = threading.Thread(target=leaving.cable.unplug)
    puller.start()
    with pytest.raises(OSError, match=os.strerror(errno.ENODEV)):
        key_events(gone)
    puller.join()
    staying.show(b"still here")
    assert text_of(key_events(kept), "us") == "still here\r"
