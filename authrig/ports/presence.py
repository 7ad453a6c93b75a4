"""Who touches a key, and when: at once as it blinks, unless a test holds the finger back."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fido2.ctap import STATUS, CtapDevice, CtapError

from authrig.attached.hands import Finger

_PATIENT_SENDS = 3
"""How often a message is sent again that arrived too slowly."""


class Presence:
    """The rig's finger over one key; its methods may be called from any thread."""

    def __init__(self, finger: Finger) -> None:
        self._finger = finger
        self._held = False

    def touch(self) -> None:
        """Touch the key now; without effect while it does not blink.

        Raises:
            RigError: if what touches it fails.
        """
        self._finger.touch()

    def blinks(self) -> None:
        """The key asks for a touch: it gets one, unless the finger is held back.

        Raises:
            RigError: if what touches it fails.
        """
        if not self._held:
            self._finger.touch()

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Within it nobody touches the key but by ``touch``."""
        self._held = True
        try:
            yield
        finally:
            self._held = False


class TouchedDevice(CtapDevice):
    """``device``, touched by ``presence`` when its keepalives say that it wants to be (CTAP 2.3 §11.2.9.2.2)."""

    def __init__(self, device: CtapDevice, presence: Presence) -> None:
        self.device = device
        """The device itself, for what this one does not have."""
        self._presence = presence

    @property
    def capabilities(self) -> int:
        """As the device says."""
        return self.device.capabilities

    def call(
        self,
        cmd: int,
        data: bytes = b"",
        event: threading.Event | None = None,
        on_keepalive: Callable[[STATUS], None] | None = None,
    ) -> bytes:
        """Send a command and wait for the answer, as the device does.

        Raises:
            CtapError: what the key answers.
            RigError: if what touches it fails.
        """

        def heed(status: STATUS) -> None:
            if status == STATUS.UPNEEDED:
                self._presence.blinks()
            if on_keepalive is not None:
                on_keepalive(status)

        for _ in range(_PATIENT_SENDS):
            try:
                return self.device.call(cmd, data, event, heed)
            except CtapError as error:
                # The key gave up on a message because this machine took its time between two fragments of it
                # (CTAP 2.3 §11.2.5.2); nothing was done yet, so it is sent again.
                if error.code != CtapError.ERR.TIMEOUT:
                    raise
        return self.device.call(cmd, data, event, heed)

    def close(self) -> None:
        """Let go of the device."""
        self.device.close()

    @classmethod
    def list_devices(cls) -> Iterator[CtapDevice]:
        """None: it is made around a device that was found."""
        return iter(())
