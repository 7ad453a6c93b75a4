import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pytest

from authrig.devices.token_device import TokenDevice, identity_of
from authrig.pictures import picture_from_png, print_code
from emulators.camera_scanner.frames import ImageError
from emulators.env import Env
from emulators.hwtoken.keys import Button
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.profile import load_profile, profile_names
from emulators.hwtoken.screens import State
from emulators.hwtoken.token import QrToken
from emulators.usb.usb_identity import UsbIdentity
from emulators.usb.usbip_server import UsbIpServer
from emulators.usb.video_modes import PixelFormat, VideoMode
from tests.emulators.usb.test_usbip_serial import SerialHost
from tests.emulators.usb.usbip_host import UsbIpHost
from tests.emulators.usb.video_host import VideoHost
from tests.leaks import nothing_left_open


def _token(env: Env, profile: str = "dot_matrix_128x64") -> QrToken:
    memory = TokenMemory()
    memory.provision("QT1-00000042", bytes(range(32)))
    return QrToken(env, load_profile(profile), memory)


@contextmanager
def _plugged() -> Iterator[tuple[TokenDevice, UsbIpServer]]:
    env = Env.simulated(seed=1)
    token = _token(env)
    token.power_on()
    with UsbIpServer(port=0) as server, TokenDevice(token, env, server) as device:
        yield device, server


class _Host:
    """Both functions of the device, as their drivers see them."""

    def __init__(self, server: UsbIpServer, busid: str | None, stack: ExitStack) -> None:
        assert busid is not None
        self.usb = UsbIpHost(server.address, busid)
        stack.callback(self.usb.socket.close)
        self.console = SerialHost(self.usb)
        self.console.open()
        self.camera = VideoHost(self.usb, interface=3, endpoint=3)
        self._left = b""

    def ask(self, command: str, **values: object) -> dict[str, Any]:
        """A question and its answer on the console."""
        self.console.write(json.dumps({"cmd": command, **values}).encode() + b"\n")
        while b"\n" not in self._left:
            self._left += self.console.read(1)
        line, _, self._left = self._left.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer


def test_console_and_camera_are_one_device() -> None:
    """With the token's model, firmware and serial number, and marked as what it is; both work at once."""
    with _plugged() as (device, server), ExitStack() as stack:
        host = _Host(server, device.busid, stack)
        descriptor = host.usb.descriptor(1)
        assert descriptor[8:14] == bytes.fromhex("0912 0200 0001")
        names = [host.usb.descriptor(3, index)[2:].decode("utf-16-le") for index in descriptor[14:17]]
        assert names == ["Authrig", "QR Reader 128 (test device)", "QT1-00000042"]
        configuration = host.usb.descriptor(2)
        assert configuration[4] == 4
        assert bytes((8, 0x0B, 0, 2, 2, 2, 0)) in configuration
        assert bytes((8, 0x0B, 2, 2, 0x0E, 3, 0)) in configuration
        host.camera.start(2, 1)
        device.show(picture_from_png(print_code("seen by both")))
        assert host.ask("hello")["serial"] == "QT1-00000042"
        assert len(host.camera.picture()) == 640 * 480 * 2


def test_the_token_reads_what_is_held_before_it_as_soon_as_it_scans() -> None:
    """Not before; and a picture that was there already counts."""
    with _plugged() as (device, server), ExitStack() as stack:
        host = _Host(server, device.busid, stack)
        device.show(picture_from_png(print_code("no challenge")))
        assert host.ask("state")["state"] == "idle"
        host.ask("press", button="ok")
        deadline = time.monotonic() + 10
        while host.ask("state")["state"] != "error":
            assert time.monotonic() < deadline


def test_what_is_held_before_it_next_is_read_too_although_its_time_stands_still() -> None:
    """Each picture is looked at once, however shortly after the one before."""
    with _plugged() as (device, server), ExitStack() as stack:
        host = _Host(server, device.busid, stack)
        for _ in range(3):
            assert host.ask("press", button="ok")["state"] == "scanning"
            device.show(picture_from_png(print_code("no challenge")))
            deadline = time.monotonic() + 10
            while host.ask("state")["state"] != "error":
                assert time.monotonic() < deadline
            device.show(None)
            host.ask("press", button="ok")


def test_with_nothing_before_it_the_token_goes_on_scanning() -> None:
    """What was taken away is not read."""
    with _plugged() as (device, server), ExitStack() as stack:
        host = _Host(server, device.busid, stack)
        device.show(picture_from_png(print_code("no challenge")))
        device.show(None)
        with pytest.raises(ImageError):
            device.show(np.zeros((0, 0), np.uint8))
        assert host.ask("press", button="ok")["state"] == "scanning"
        with device.using() as token:
            assert token.screen.state is State.SCANNING
            token.press(Button.CANCEL)
        assert host.ask("state")["state"] == "idle"


def test_pulled_out_and_put_back() -> None:
    """The token's state is its own: it runs on its battery."""
    with _plugged() as (device, server), ExitStack() as stack:
        host = _Host(server, device.busid, stack)
        host.ask("press", button="ok")
        device.unplug()
        device.unplug()
        assert device.busid is None
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            host.ask("state")
        device.plug_in()
        assert _Host(server, device.busid, stack).ask("state")["state"] == "scanning"


def test_nothing_is_left_of_it() -> None:
    """No thread, no file."""

    def use() -> None:
        with _plugged() as (device, server), ExitStack() as stack:
            _Host(server, device.busid, stack).ask("hello")
            device.close()

    use()
    with nothing_left_open():
        for _ in range(3):
            use()


@pytest.mark.parametrize("profile", profile_names())
def test_every_model_has_an_identity(profile: str) -> None:
    """From its profile; the version in binary-coded decimal."""
    identity = identity_of(_token(Env.simulated(seed=1), profile))
    assert isinstance(identity, UsbIdentity)
    assert identity.product_name.endswith(" (test device)")
    assert identity.version.to_bytes(2).hex().isdecimal()


def test_its_camera_offers_what_it_is_told_to() -> None:
    """A host that is slow needs one that sends no more pictures than it can take."""
    env = Env.simulated(seed=1)
    slow = VideoMode(PixelFormat.MJPEG, 320, 240, (5,))
    with (
        UsbIpServer(port=0) as server,
        TokenDevice(_token(env), env, server, modes=(slow,)) as device,
        ExitStack() as stack,
    ):
        camera = _Host(server, device.busid, stack).camera
        camera.start(1, 1)
        assert camera.picture()[:2] == b"\xff\xd8"
        assert device.camera.mode == slow
