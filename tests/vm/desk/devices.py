"""The devices of the desk, plugged in by USB/IP: a key in a controller's port, a webcam on a stand, and a token."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import msgspec

from authrig.devices.token_device import TokenDevice
from authrig.keys.control import ControlServer
from authrig.keys.port import Port, Wire
from authrig.keys.wires import Cabling, Listen
from emulators.camera_scanner.frames import Image
from emulators.camera_scanner.webcams.usb import UsbWebcam
from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.profile import load
from emulators.fido_authenticator.user import HandUser
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.screens import Screen, State
from emulators.hwtoken.token import QrToken
from emulators.usb.usb_identity import UsbIdentity
from emulators.usb.usbip_function import composite_device
from emulators.usb.usbip_server import UsbIpServer
from emulators.usb.video_modes import PixelFormat, VideoMode
from tests.vm.browsers.browser import SLOW_SECONDS
from tests.vm.browsers.keys import WITHOUT_PIN
from tests.vm.cameras import attach, camera_node
from tests.vm.conftest import node_with, run, wait_for
from tests.vm.desk import views
from tests.vm.desk.panels import Panels

KEY, WEBCAM, TOKEN = "DESK-KEY-1", "DESK-CAM-1", "QT1-00000042"
SEED = bytes(range(32))
CONTROLLER_PORT = 8471
WEBCAM_NAME = "Desk webcam"
MODES = (VideoMode(PixelFormat.MJPEG, *views.FRAME, (5,)),)
"""Chromium decodes every picture, and its processor is a program."""
_LOOKS_APART = 0.2
_HAND_MOVES = 1.0
"""Seconds after which a hand holds what it holds in another way."""


@contextmanager
def plugged_in() -> Iterator[None]:
    """All devices, attached to this kernel, and what moves them by HTTP, for as long as the block lasts."""
    with ExitStack() as stack:
        stack.enter_context(_key())
        server = stack.enter_context(UsbIpServer(port=0))
        webcam = stack.enter_context(UsbWebcam(WEBCAM_NAME, MODES))
        identity = UsbIdentity(0x1209, 0x0003, 0x0100, "Authrig", WEBCAM_NAME, WEBCAM)
        attach(server, server.plug_in(composite_device(identity, webcam.function)))
        camera_node(WEBCAM_NAME)
        token = stack.enter_context(TokenDevice(_token(), Env.real(), server, modes=MODES))
        attach(server, token.busid)
        camera_node("test device")
        panels = stack.enter_context(Panels(lambda: token.show(None)))
        stack.enter_context(_looking(webcam, token, panels))
        yield


@contextmanager
def _key() -> Iterator[None]:
    """A key that only the controller's finger touches, and that its port has power for."""
    profile = load(WITHOUT_PIN)
    timing = msgspec.structs.replace(profile.timing, fragment=5.0, user_action=SLOW_SECONDS)
    usb = msgspec.structs.replace(profile.usb, serial_number=KEY)
    profile = msgspec.structs.replace(profile, timing=timing, usb=usb)
    cabling = Cabling("usbip", Listen(port=0))
    port = Port(CtapHid(Authenticator(Env.real(), profile, user=HandUser())), _attaching(cabling.plug(1)))
    port.power_on()
    # While a device is being attached no other one can be.
    wait_for(lambda: node_with(f"HID_UNIQ={KEY}"))
    try:
        with ControlServer({1: port}, CONTROLLER_PORT):
            yield
    finally:
        port.power_off()
        cabling.close()


def _attaching(plug: Callable[[CtapHid], Wire]) -> Callable[[CtapHid], Wire]:
    """What plugs a key in that is attached to this kernel at once, as a socket with power does."""

    def plug_in(hid: CtapHid) -> Wire:
        wire = plug(hid)
        address, _, busid = wire.address.partition("/")
        host, _, port = address.rpartition(":")
        words = ("usbip", "--tcp-port", port, "attach", "-r", host, "-b", busid)
        # Whoever asks the controller for power does not wait until the kernel knows the key.
        threading.Thread(target=run, args=words).start()
        return wire

    return plug_in


def _token() -> QrToken:
    memory = TokenMemory()
    memory.provision(TOKEN, SEED)
    profile = views.profile()
    behaviour = msgspec.structs.replace(profile.behaviour, scan_time_out_seconds=300, auto_off_seconds=300)
    token = QrToken(Env.real(), msgspec.structs.replace(profile, behaviour=behaviour), memory)
    token.power_on()
    return token


@contextmanager
def _looking(webcam: UsbWebcam, token: TokenDevice, panels: Panels) -> Iterator[None]:
    """Within it the cameras see what is before them."""
    ended = threading.Event()

    def look() -> None:
        on_stand, hand = _Stand(webcam), _Hand(token)
        while not ended.wait(_LOOKS_APART):
            with token.using() as held:
                screen = held.screen
            on_stand.look(panels.before_webcam, screen)
            hand.look(panels.before_token, screen)

    thread = threading.Thread(target=look, name="eyes", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class _Stand:
    """What the webcam sees: a badge that somebody holds up to it, else the token below."""

    def __init__(self, webcam: UsbWebcam) -> None:
        self._webcam = webcam
        self._badge = _Held()
        self._seen: Screen | None = None
        self._number = itertools.count()

    def look(self, badge: Image | None, screen: Screen) -> None:
        """See it."""
        if badge is not None:
            if (photograph := self._badge.photograph(badge, "badge-at-kiosk")) is not None:
                self._webcam.show(photograph)
            self._seen = None
        elif screen != self._seen:
            self._seen = screen
            self._webcam.show(views.token_on_the_desk(screen, next(self._number)))


class _Hand:
    """Holds the token's camera before a panel for as long as it scans."""

    def __init__(self, token: TokenDevice) -> None:
        self._token = token
        self._picture = _Held()

    def look(self, picture: Image | None, screen: Screen) -> None:
        """See it."""
        if picture is None or screen.state is not State.SCANNING:
            return
        if (photograph := self._picture.photograph(picture, "office-desk")) is not None:
            self._token.show(photograph)


class _Held:
    """Something in a hand, which does not keep still."""

    def __init__(self) -> None:
        self._picture: Image | None = None
        self._looks = itertools.count()

    def photograph(self, picture: Image, scene: str) -> Image | None:
        """A photograph of it, if it is another thing than before or the hand has moved."""
        if picture is not self._picture:
            self._picture, self._looks = picture, itertools.count()
        look = next(self._looks)
        return views.held_up(picture, scene, look) if look % round(_HAND_MOVES / _LOOKS_APART) == 0 else None
