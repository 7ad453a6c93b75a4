"""A webcam for programs on a Linux host: pictures written to a V4L2 output whose other end is a camera.

Such outputs are those of v4l2loopback (``modprobe v4l2loopback exclusive_caps=1 card_label="Test camera"``), whose
programs read from the same device, and of the kernel's own vivid, whose programs read from another one. Both are spoken to
through the kernel's interface alone (include/uapi/linux/videodev2.h): frames are written, or put into shared buffers where the
driver refuses that.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from emulators.camera_scanner.webcams.errors import WebcamError
from emulators.camera_scanner.webcams.paced import PacedWebcam
from emulators.camera_scanner.webcams.packing import yuyv
from emulators.camera_scanner.webcams.v4l2_streaming import Ioctl, SharedBuffers

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image
    from emulators.env import Clock

_CAPABILITY = struct.Struct("=16s32s32sIII12x")
_PIX_FORMAT = struct.Struct("=IIIIIII")
_FORMAT_OFFSET = struct.calcsize("@I0P")  # a union with pointers in it follows the type
_FORMAT_BYTES = _FORMAT_OFFSET + 200
_QUERYCAP = 2 << 30 | _CAPABILITY.size << 16 | ord("V") << 8
_S_FMT = 3 << 30 | _FORMAT_BYTES << 16 | ord("V") << 8 | 5
_VIDEO_OUTPUT, _FIELD_NONE, _SRGB = 2, 1, 8
_CAN_OUTPUT, _CAN_WRITE, _HAS_DEVICE_CAPS = 0x2, 0x0100_0000, 0x8000_0000
_YUYV = int.from_bytes(b"YUYV", "little")
_LOAD = "sudo modprobe v4l2loopback exclusive_caps=1"
_LOOPBACK = b"v4l2 loopback"
"""What the driver v4l2loopback calls itself."""
_SAY = {
    errno.ENOENT: f"there is none; make one: {_LOAD} (apt-get install v4l2loopback-dkms)",
    errno.ENODEV: f"there is none; make one: {_LOAD} (apt-get install v4l2loopback-dkms)",
    errno.EACCES: "you may not open it; become a member of its group: sudo usermod -aG video $USER, and log in again",
    errno.EBUSY: "another program feeds it; end that one, or name another device",
}


def _ioctl(file: int, request: int, argument: bytearray) -> object:
    return fcntl.ioctl(file, request, argument, True)


class V4l2Webcam(PacedWebcam):
    """Writes the picture that was shown last to a V4L2 output, at a steady rate.

    Args:
        device: for example ``/dev/video0``.
        size: width and height to ask for; ``size`` afterwards is what the driver gives, and pictures are fitted into it.
        frames_per_second: how often.
        clock: when the next one is due.
        ioctl: speaks to the driver; replaced where there is none.

    Raises:
        WebcamError: if there is no such device, or it takes no pictures.
    """

    def __init__(
        self,
        device: Path | str,
        size: tuple[int, int] = (640, 480),
        frames_per_second: float = 30,
        clock: Clock | None = None,
        ioctl: Ioctl = _ioctl,
    ) -> None:
        self.device = str(device)
        self._failure: WebcamError | None = None
        self._buffers: SharedBuffers | None = None
        self._made = False
        self._packed: tuple[Image, bytes] | None = None
        try:
            self._output = os.open(self.device, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise self._error(error) from error
        try:
            self._require_output(ioctl)
            size = self._set_format(size, ioctl)
            super().__init__(size, frames_per_second, clock)
            self._made = True
            self._buffers = self._first_frame(ioctl)
        except OSError as error:
            if self._made:
                self.close()
            else:
                os.close(self._output)
            if error.errno in (errno.ENOTTY, errno.EINVAL) and not self._made:
                raise WebcamError(f"cannot show pictures on {self.device}: it is no V4L2 device") from error
            raise self._error(error) from error
        except (WebcamError, ValueError):
            os.close(self._output)
            raise

    def show(self, image: Image) -> None:
        """From the next picture on, let others see ``image``.

        Raises:
            ImageError: if it is no picture.
            WebcamError: if the device is gone.
        """
        if self._failure is not None:
            raise self._failure
        super().show(image)

    def _require_output(self, ioctl: Ioctl) -> None:
        raw = bytearray(_CAPABILITY.size)
        ioctl(self._output, _QUERYCAP, raw)
        driver, card, _, _, of_driver, of_device = _CAPABILITY.unpack(raw)
        capabilities = of_device if of_driver & _HAS_DEVICE_CAPS else of_driver
        if not capabilities & _CAN_OUTPUT or not capabilities & _CAN_WRITE:
            name = card.rstrip(b"\0").decode(errors="replace")
            # With exclusive_caps=1 it is an output until it is fed, then a camera; 0.12.7 remains one when nobody feeds it any more.
            todo = (
                f"end the program that feeds it or, if none does, load its module anew: sudo modprobe -r v4l2loopback && {_LOAD}"
                if driver.rstrip(b"\0") == _LOOPBACK
                else f"name another device, or make one: {_LOAD}"
            )
            raise WebcamError(f"cannot show pictures on {self.device}: {name} is no V4L2 output to write to; {todo}")

    def _set_format(self, size: tuple[int, int], ioctl: Ioctl) -> tuple[int, int]:
        """Ask for YUYV of that size; returns the size that the driver gives."""
        wanted = _PIX_FORMAT.pack(*size, _YUYV, _FIELD_NONE, 2 * size[0], 2 * size[0] * size[1], _SRGB)
        raw = bytearray(struct.pack("@I0P", _VIDEO_OUTPUT) + wanted).ljust(_FORMAT_BYTES, b"\0")
        ioctl(self._output, _S_FMT, raw)
        width, height, pixels, _, line, length, _ = _PIX_FORMAT.unpack_from(raw, _FORMAT_OFFSET)
        if pixels != _YUYV or line not in (0, 2 * width) or length not in (0, 2 * width * height):
            found = pixels.to_bytes(4, "little").decode("ascii", errors="replace")
            raise WebcamError(
                f"cannot show pictures on {self.device}: expected YUYV without padding, its driver offers {found} {width}x{height}"
            )
        return width, height

    def _first_frame(self, ioctl: Ioctl) -> SharedBuffers | None:
        """Show black; returns the buffers to use from now on, None where frames are written.

        Vivid says that it can be written to, and then refuses (Linux 6.12): it finds its own buffer empty.
        """
        black = yuyv(self._frame)
        try:
            os.write(self._output, black)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        else:
            return None
        # Who has tried to write keeps the queue for writing until the file is closed.
        again = os.open(self.device, os.O_RDWR | os.O_CLOEXEC)
        os.close(self._output)
        self._output = again
        self._set_format(self.size, ioctl)
        buffers = SharedBuffers(self._output, ioctl)
        buffers.put(black)
        return buffers

    def _send(self, packed: bytes) -> None:
        if self._buffers is None:
            os.write(self._output, packed)
        else:
            self._buffers.put(packed)

    def _put(self, frame: Image) -> None:
        if self._packed is None or self._packed[0] is not frame:
            self._packed = (frame, yuyv(frame))
        try:
            self._send(self._packed[1])
        except OSError as error:
            self._failure = self._error(error)
            self._stopping = True

    def _error(self, error: OSError) -> WebcamError:
        reason = _SAY.get(error.errno or 0, error.strerror)
        return WebcamError(f"cannot show pictures on {self.device}: {reason}")

    def _close_files(self) -> None:
        if self._buffers is not None:
            self._buffers.close()
        os.close(self._output)
