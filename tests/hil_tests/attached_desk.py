"""Runs a command with a whole desk of attached devices: ``python -m tests.hil_tests.attached_desk authrig test flows``.

For the guest of ``authrig vm``: emulated devices are given to the kernel as hardware, and the rig file knows them by serial
numbers. Two keys are on /dev/hidraw*, touched and unplugged by an HTTP controller. A token with its console, and a relay
board that presses its keys and switches its power, are on /dev/ttyACM*; a webcam on a stand looks at its display. A
scanner's webcam looks at a panel of e-paper, and so does the token's own camera. Options before the command:

``--token camera``  the token is shown pictures on paper, moved by relays and read by the webcam; nobody asks it (the default)
``--token keys``    its console shows it pictures and presses its keys, and the webcam reads it
``--token console`` its console is every end
``--profile NAME``  which model it is
``--simulated``     its time stands still until a test lets it pass, and the rig's clock too
"""

import argparse
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Self

from authrig.attached.inventory import Attachment, inventory
from authrig.devices.token_device import TokenDevice
from emulators.camera_scanner.webcams.usb import UsbWebcam
from emulators.env import Clock, Env
from emulators.hwtoken.keys import Button
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.pin import PinLock
from emulators.hwtoken.profile import load_profile
from emulators.hwtoken.screens import Off, Screen
from emulators.hwtoken.token import QrToken
from emulators.usb.usb_identity import UsbIdentity
from emulators.usb.usbip_function import UsbFunction, composite_device
from emulators.usb.usbip_serial import UsbSerial
from emulators.usb.usbip_server import UsbIpServer
from emulators.usb.video_modes import PixelFormat, VideoMode
from tests.hil_tests.attached_bench import HEAD, plugged_keys, run
from tests.hil_tests.paper import paper
from tests.hil_tests.token_bench import FRAME, PIN, SEED, SERIAL, Photographer, Relays
from tests.vm.conftest import settle, wait_for

MODES = (VideoMode(PixelFormat.MJPEG, *FRAME, (5,)),)
POWER_CHANNEL = 3
TOKEN = """
[devices.token]
kind = "qr-token"
attached = {{ serial = "{serial}", seed_hex = "{seed}", pin = "{pin}" }}
capabilities = [{can}]
destructive = true
{ends}
"""
CAMERAS = """
[devices.eye]
kind = "camera"
attached = { match = { serial = "BENCH-EYE" } }

[devices.lens]
kind = "camera"
attached = { match = { serial = "BENCH-LENS" } }
"""
SCANNER = """
[devices.reader]
kind = "scanner"
attached = {{ camera = "lens" }}
picture = {{ by = "e-paper", url = "{url}" }}
"""


def main() -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--token", choices=("camera", "keys", "console"), default="camera")
    parser.add_argument("--profile", default="dot_matrix_128x64")
    parser.add_argument("--simulated", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    with plugged_keys(2) as keys, Bus() as bus:
        env = Env.simulated(1) if args.simulated else Env.real()
        with plugged_scanner(bus) as scanner, plugged_token(bus, args.profile, env) as token:
            sys.stderr.write("".join(f"{one.sentence}\n" for one in inventory()))
            simulated = ["--clock", "simulated"] if args.simulated else []
            rig_file = HEAD + keys + CAMERAS + scanner + token.entry(args.token)
            return run([*args.command, *simulated], rig_file)


class Bus:
    """USB/IP, attached to this kernel by the distribution's own command. Use it in a ``with`` block."""

    def __init__(self) -> None:
        self._server = UsbIpServer(port=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    @property
    def server(self) -> UsbIpServer:
        """What devices are offered on."""
        return self._server

    def plug_in(self, name: str, serial: str, function: UsbFunction) -> None:
        """Plug a device with one function in, and wait until the kernel has made its node."""
        device = composite_device(UsbIdentity(0x1209, 0x0005, 0x0100, "Authrig", name, serial), function)
        self.attach(self._server.plug_in(device), serial)

    def attach(self, busid: str | None, serial: str) -> None:
        """What a user does with a device that is on offer."""
        host, port = self._server.address
        command = ["usbip", "--tcp-port", str(port), "attach", "-r", host, "-b", str(busid)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        # While a device is being attached the command cannot attach another.
        wait_for(lambda: nodes(serial))
        settle()


def nodes(serial: str) -> list[Attachment]:
    """What the kernel has made of the device with this serial number."""
    return [one for one in inventory() if one.serial == serial]


def line(serial: str) -> str:
    """The path of its serial line."""
    return next(str(one.node) for one in nodes(serial) if one.sort == "serial")


@contextmanager
def plugged_scanner(bus: Bus) -> Iterator[str]:
    """A webcam before a panel of e-paper; yields its entry of the rig file."""
    with UsbWebcam("Bench lens", MODES) as lens, paper(lens.show) as url:
        bus.plug_in("Bench lens", "BENCH-LENS", lens.function)
        yield SCANNER.format(url=url)


@dataclass(frozen=True)
class PluggedToken:
    """The token on its stand, and how to write it into a rig file."""

    token: QrToken
    profile: str
    paper: str
    photographer: Photographer

    def entry(self, ends: str) -> str:
        """Its entry, by the words of ``--token``."""
        console = f'{{ by = "console", serial_port = "{line(SERIAL)}" }}'
        board = f'serial_port = "{line("BENCH-RELAYS")}"'
        corners = [list(corner) for corner in self.photographer.corners]
        read = f'camera = "eye", kind = "dot-matrix", profile = "{self.profile}", corners = {corners}'
        camera = f'{{ by = "camera", {read} }}'
        chosen = {
            "camera": f'picture = {{ by = "e-paper", url = "{self.paper}" }}\n'
            f'keys = {{ by = "relays", {board}, ok = 1, cancel = 2 }}\ndisplay = {camera}\n'
            f'power = {{ by = "relay", {board}, channel = {POWER_CHANNEL} }}',
            "keys": f"picture = {console}\nkeys = {console}\ndisplay = {camera}",
            "console": f"picture = {console}\nkeys = {console}\ndisplay = {console}",
        }[ends]
        profile = self.token.profile
        can = ["clock", *(["keypad"] if profile.behaviour.keypad else []), *(["pin"] if profile.pin else [])]
        words = ", ".join(f'"{word}"' for word in can)
        return TOKEN.format(serial=SERIAL, seed=SEED.hex(), pin=PIN, can=words, ends=chosen)


@contextmanager
def plugged_token(bus: Bus, profile: str, env: Env) -> Iterator[PluggedToken]:
    """The token, the relay board that moves it, and the webcam that looks at it."""
    model, memory = load_profile(profile), TokenMemory()
    memory.provision(SERIAL, SEED)
    if model.pin is not None:
        PinLock(memory, model.pin, env.random).choose(PIN)
    stand = Stand(profile)
    token = QrToken(env, model, memory, stand.see)
    with ExitStack() as opened:
        device = opened.enter_context(TokenDevice(token, env, bus.server))
        bus.attach(device.busid, SERIAL)

        eye = opened.enter_context(stand.eye)
        opened.enter_context(stand)  # the webcam is closed after it: who waits for a picture does so no more
        bus.plug_in("Bench eye", "BENCH-EYE", eye.function)
        relays = opened.enter_context(UsbSerial(_relays(device, env.clock)))
        bus.plug_in("Bench relays", "BENCH-RELAYS", relays.function)
        url = opened.enter_context(paper(device.show))
        yield PluggedToken(token, profile, url, stand.photographer)


def _relays(device: TokenDevice, clock: Clock) -> Relays:
    def press(button: Button, held: bool) -> None:  # noqa: FBT001 - as the relays call it
        with device.using() as token:
            token.press(button, held=held)

    def power(on: bool) -> None:  # noqa: FBT001 - as above
        with device.using() as token:
            (token.power_on if on else token.power_off)()

    return Relays(press, clock, power)


class Stand:
    """The webcam before the token: use it as a context manager.

    A photograph takes its time here, and light takes none: until there is one of the screen that is up, the webcam takes no
    picture.
    """

    def __init__(self, profile: str) -> None:
        self._screen: Screen = Off()
        self._changed = threading.Condition()
        self._wanted, self._seen, self._ended = 1, 0, False
        self.photographer = Photographer(profile, lambda: self._screen)
        self.eye = _Eye(self._is_ready, MODES)
        self._thread = threading.Thread(target=self._look, name="eye", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()

    def see(self, screen: Screen) -> None:
        """A new screen is up."""
        with self._changed:
            self._screen = screen
            self._wanted += 1
            self._changed.notify_all()

    def _look(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ended or self._seen != self._wanted)
                number = self._wanted
                if self._ended:
                    return
            self.eye.show(next(self.photographer.frames()).image)
            with self._changed:
                self._seen = number
                self._changed.notify_all()

    def _is_ready(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._seen == self._wanted)


class _Eye(UsbWebcam):
    """A webcam that takes a picture once ``ready`` returns."""

    def __init__(self, ready: Callable[[], None], modes: Sequence[VideoMode]) -> None:
        super().__init__("Bench eye", modes)
        self._ready = ready

    def _take_picture(self, mode: VideoMode) -> bytes:
        self._ready()
        return super()._take_picture(mode)


if __name__ == "__main__":
    sys.exit(main())
