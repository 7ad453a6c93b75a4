"""A QR token with its USB plug in: its console is a serial port, its camera a webcam, in one device."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Self

from authrig.tokens.eyes import LOOK_SECONDS
from authrig.tokens.powered import PoweredToken
from emulators.camera_scanner.frames import Frame, require_image
from emulators.camera_scanner.webcams.usb import UsbWebcam
from emulators.usb.usb_identity import UsbIdentity
from emulators.usb.usbip_function import composite_device
from emulators.usb.usbip_serial import UsbSerial
from emulators.usb.video_modes import MODES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from emulators.camera_scanner.frames import Image
    from emulators.env import Clock, Env
    from emulators.hwtoken.token import QrToken
    from emulators.usb.usbip_server import UsbIpServer
    from emulators.usb.video_modes import VideoMode

VENDOR, PRODUCT = 0x1209, 0x0002
"""From the range that pid.codes keeps for tests: no product has them."""


class TokenDevice:
    """``token`` on the bus of ``server``: ``/dev/ttyACM0`` and ``/dev/video0`` appear where ``busid`` is attached.

    Use it as a context manager: it is on offer from the start, and served meanwhile.

    Args:
        token: the token, switched on or not.
        env: its world.
        server: the bus.
        production: the console answers only what a token in its user's hand would.
        modes: what its camera offers, the usual one first.
    """

    def __init__(
        self,
        token: QrToken,
        env: Env,
        server: UsbIpServer,
        *,
        production: bool = False,
        modes: Sequence[VideoMode] = MODES,
    ) -> None:
        self._server = server
        self._held = _HeldPicture(env.clock)
        self._core = PoweredToken(token, env, self._held, production=production)
        self._camera = UsbWebcam("Test camera", modes)
        self._port = UsbSerial(self._core, "Test console")
        self._device = composite_device(identity_of(token), self._port.function, self._camera.function)
        self.busid: str | None = server.plug_in(self._device)
        """What a host attaches; None while it is unplugged."""

    def __enter__(self) -> Self:
        self._camera.__enter__()
        self._port.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def camera(self) -> UsbWebcam:
        """Its camera, to see what its host has chosen; ``show`` is how to hold something before it."""
        return self._camera

    @contextlib.contextmanager
    def using(self) -> Iterator[QrToken]:
        """The token, to press its buttons or read its screen; its console waits meanwhile."""
        with self._port.using() as core:
            yield core.token

    def show(self, image: Image | None) -> None:
        """Hold ``image`` before its camera until something else is: the host sees it, and the token while it scans.

        Raises:
            ImageError: if it is no picture.
        """
        if image is not None:
            self._camera.show(image)
        with self._port.using():
            self._held.hold(None if image is None else require_image(image).copy())

    def unplug(self) -> None:
        """Pull it out of its host: the device nodes go away. The token goes on, on its battery."""
        if self.busid is not None:
            busid, self.busid = self.busid, None
            self._server.unplug(busid)

    def plug_in(self) -> None:
        """Offer it again; a host has to attach it anew."""
        if self.busid is None:
            self.busid = self._server.plug_in(self._device)

    def close(self) -> None:
        """Unplug it for good. Closing twice is allowed."""
        self.unplug()
        self._port.close()
        self._camera.close()


def identity_of(token: QrToken) -> UsbIdentity:
    """How a token presents itself on USB: model and firmware from its profile, the serial number from its memory."""
    major, minor, patch = (min(int(part), 99) for part in token.profile.firmware.split("."))
    version = int(f"{major:02}{min(minor, 9)}{min(patch, 9)}", 16)  # binary-coded decimal has one digit for each
    name = f"{token.profile.name} (test device)"
    return UsbIdentity(VENDOR, PRODUCT, version, "Authrig", name, token.memory.serial or "")


class _HeldPicture:
    """What is held before the camera, looked at now and then as long as the token scans."""

    problem = ""

    def __init__(self, clock: Clock) -> None:
        self._image: Image | None = None
        self.on_frame: Callable[[Frame], object] = lambda _: None
        self._clock = clock
        self._looks_at = 0.0

    def hold(self, image: Image | None) -> None:
        """Something else is there now, which is looked at at once, also by a token whose time stands still."""
        self._image, self._looks_at = image, 0.0

    def watch(self, *, watching: bool) -> None:
        """It is there either way."""

    def take(self) -> Frame | None:
        """A frame, if it is time for one."""
        now = self._clock.monotonic()
        if self._image is None or now < self._looks_at:
            return None
        self._looks_at = now + LOOK_SECONDS
        return Frame(self._image, now, "camera")
