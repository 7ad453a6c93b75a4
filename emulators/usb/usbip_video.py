"""A camera as a USB video device (UVC 1.1) on a bulk endpoint: ``/dev/video0`` on Linux, a camera on Windows.

``UsbVideo`` is its USB function. It asks its owner for a picture each time that one is due, packed as the host wants it,
and sends it as fast as the host takes it. A picture that takes longer than its time makes the next one late, and those
that were due meanwhile are dropped: nothing is queued, so what a host sees is never old.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from emulators.env import Clock, SystemClock
from emulators.usb.service import Service
from emulators.usb.usbip_function import BULK_BYTES, FedEndpoint, UsbFunction
from emulators.usb.video_descriptors import VIDEO_COLLECTION, VideoControl, VideoStreaming
from emulators.usb.video_modes import MODES, VideoMode
from emulators.usb.video_negotiation import Choice

MAX_PAYLOAD = 16_384
"""Bytes of a payload with its header: what Linux asks for at once."""
_HEADER_BYTES = 2
_FRAME_ID, _END_OF_FRAME, _END_OF_HEADER = 0x01, 0x02, 0x80


@dataclass(slots=True)
class _Transfer:
    """A picture on its way: what is left of it, and of the payload that the host has begun to take."""

    picture: memoryview
    payload: memoryview
    must_end: bool = False


class UsbVideo(Service):
    """The USB function of a camera.

    Put ``function`` into a device (``composite_device``) and that on a bus (``UsbIpServer.plug_in``), and use this as a
    context manager meanwhile.

    Args:
        take_picture: what the camera sees now, packed in the given mode; called in this service's thread.
        name: what the camera is called on the host.
        modes: what it offers, formats together.
        clock: when the next picture is due.
    """

    def __init__(
        self,
        take_picture: Callable[[VideoMode], bytes],
        name: str,
        modes: Sequence[VideoMode] = MODES,
        clock: Clock | None = None,
    ) -> None:
        super().__init__()
        self._take_picture = take_picture
        self._clock = clock or SystemClock()
        self._choice: Choice | None = None
        self._transfer: _Transfer | None = None
        self._frame_id = 0
        self._due = 0.0
        self._endpoint = FedEndpoint(0x83, "bulk", BULK_BYTES, self.wake, self._start_over)
        streaming = VideoStreaming(tuple(modes), self._endpoint, MAX_PAYLOAD, self._commit, self._start_over)
        self.function = UsbFunction((VideoControl(), streaming), VIDEO_COLLECTION, name)
        """What a composite device is made of."""

    @property
    def mode(self) -> VideoMode | None:
        """What the host has chosen; None before."""
        choice = self._choice
        return choice.mode if choice else None

    @property
    def watched(self) -> bool:
        """Whether a program takes pictures now."""
        return self._choice is not None and self._endpoint.asked

    def run(self) -> None:
        """Send pictures until ``stop`` is called from another thread."""
        while not self._stopping:
            with self._lock:
                pause = self._send()
            self._wait({}, None if pause is None else pause * 1000)

    def _commit(self, choice: Choice) -> None:
        """The host has chosen, in the thread of its connection."""
        with self._lock:
            self._choice = choice
            self._start_over()

    def _start_over(self) -> None:
        """No program takes pictures, or another one will: forget what is on its way."""
        with self._lock:
            self._transfer = None
            self._due = 0.0
        self.wake()

    def _send(self) -> float | None:
        """Give the host what it asks for; returns the seconds until a picture is due, None: nothing to wait for."""
        while self._choice is not None and self._endpoint.asked and not self._stopping:
            if self._transfer is None:
                now = self._clock.monotonic()
                if now < self._due:
                    return self._due - now
                period = 1 / self._choice.rate
                self._due = (self._due if now - self._due < period else now) + period
                self._transfer = _Transfer(memoryview(self._take_picture(self._choice.mode)), memoryview(b""))
            self._send_piece(self._transfer)
        return None

    def _send_piece(self, transfer: _Transfer) -> None:
        """Answer one request with the rest of a payload, or with the beginning of the next."""
        if not transfer.payload and not transfer.must_end:
            piece = transfer.picture[: MAX_PAYLOAD - _HEADER_BYTES]
            transfer.picture = transfer.picture[len(piece) :]
            flags = self._frame_id | _END_OF_HEADER | (0 if transfer.picture else _END_OF_FRAME)
            transfer.payload = memoryview(bytes((_HEADER_BYTES, flags)) + piece)
            # A short payload ends with a short packet, which may have to be an empty one.
            transfer.must_end = len(transfer.payload) < MAX_PAYLOAD
        asked = self._endpoint.give(transfer.payload)
        if asked is None:
            return
        if asked > len(transfer.payload):
            transfer.must_end = False
        transfer.payload = transfer.payload[asked:]
        if not transfer.payload and not transfer.must_end and not transfer.picture:
            self._frame_id ^= _FRAME_ID
            self._transfer = None

    def _close_files(self) -> None:
        """There are none."""
