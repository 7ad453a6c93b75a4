"""The two interfaces of a camera, as USB Video Class 1.1 lays out their descriptors and requests."""

import struct
from collections.abc import Callable, Sequence
from enum import IntEnum

from emulators.usb.usbip_function import FedEndpoint, Setup, Stall, UsbInterface
from emulators.usb.video_modes import PixelFormat, VideoMode
from emulators.usb.video_negotiation import CLOCK_FREQUENCY, PROBE_BYTES, SECOND, Choice, by_format, choose, describe

VIDEO_COLLECTION = (0x0E, 0x03, 0x00)
_VIDEO, _CONTROL, _STREAMING = 0x0E, 0x01, 0x02
_VERSION = 0x0110
_CAMERA, _OUTPUT = 1, 2
_YUY2 = b"YUY2\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
_COLOURS = bytes((6, 0x24, 0x0D, 1, 1, 4))  # as sRGB, in the matrix of SMPTE 170M, which is JPEG's too
_PROBE_CONTROL, _COMMIT_CONTROL = 0x01, 0x02
_ERROR_CODE_CONTROL, _INVALID_CONTROL = 0x02, 0x06
_GET_AND_SET = b"\x03"


class _Request(IntEnum):
    """UVC 1.1 table A-8."""

    SET_CUR = 0x01
    GET_CUR = 0x81
    GET_MIN = 0x82
    GET_MAX = 0x83
    GET_LEN = 0x85
    GET_INFO = 0x86
    GET_DEF = 0x87


class VideoControl(UsbInterface):
    """A camera, and an output to the streaming interface; it has no controls, since there is no lens to turn."""

    bInterfaceClass, bInterfaceSubClass = _VIDEO, _CONTROL  # noqa: N815 - the library's names

    def extra_descriptors(self) -> bytes:
        """The terminals (UVC 1.1 §3.7.2)."""
        camera = struct.pack("<BBBBHBB", 18, 0x24, 0x02, _CAMERA, 0x0201, 0, 0) + bytes((0, 0, 0, 0, 0, 0, 3, 0, 0, 0))
        output = struct.pack("<BBBBHBBB", 9, 0x24, 0x03, _OUTPUT, 0x0101, 0, _CAMERA, 0)
        length = 13 + len(camera) + len(output)
        streaming = self.interface_number + 1
        header = struct.pack("<BBBHHIBB", 13, 0x24, 0x01, _VERSION, length, CLOCK_FREQUENCY, 1, streaming)
        return header + camera + output

    def on_control(self, setup: Setup, _data: bytes = b"") -> bytes:
        """Say why the last request failed; that is all there is."""
        if setup.bRequest == _Request.GET_CUR and setup.wIndex >> 8 == 0 and setup.wValue >> 8 == _ERROR_CODE_CONTROL:
            return bytes((_INVALID_CONTROL,))
        raise Stall


class VideoStreaming(UsbInterface):
    """What the pictures come through, and where host and camera agree on them.

    Args:
        modes: what is offered, formats together.
        endpoint: to the host.
        max_payload: bytes of the longest payload.
        on_commit: told what the host has chosen.
        on_stop: told when it selects the interface anew, by which some hosts end a stream.
    """

    bInterfaceClass, bInterfaceSubClass = _VIDEO, _STREAMING  # noqa: N815 - the library's names

    def __init__(
        self,
        modes: Sequence[VideoMode],
        endpoint: FedEndpoint,
        max_payload: int,
        on_commit: Callable[[Choice], None],
        on_stop: Callable[[], None],
    ) -> None:
        super().__init__()
        self._modes = modes
        self._max_payload = max_payload
        self._endpoint = self.add_in(endpoint)
        self._on_commit = on_commit
        self._on_stop = on_stop
        self._usual = Choice(modes[0], modes[0].rates[0])
        self._probed = self._committed = self._usual

    def extra_descriptors(self) -> bytes:
        """Formats and sizes (UVC 1.1 §3.9.2)."""
        formats = by_format(self._modes)
        described = b"".join(_format(number, sizes) for number, sizes in enumerate(formats, start=1))
        length = 13 + len(formats)
        header = struct.pack(
            "<BBBBHBBBBBBB",
            *(length, 0x24, 0x01, len(formats), length + len(described), self._endpoint.addr),
            *(0, _OUTPUT, 0, 0, 0, 1),  # no still pictures, no trigger button
        )
        return header + bytes(len(formats)) + described

    def on_control(self, setup: Setup, data: bytes = b"") -> bytes:
        """Probe and commit."""
        control = setup.wValue >> 8
        if control not in (_PROBE_CONTROL, _COMMIT_CONTROL):
            raise Stall
        current = self._probed if control == _PROBE_CONTROL else self._committed
        match setup.bRequest:
            case _Request.SET_CUR if len(data) >= 8:
                self._set(control, choose(self._modes, data))
                return b""
            case _Request.GET_CUR:
                return self._described(current)
            case _Request.GET_MIN:
                return self._described(Choice(current.mode, max(current.mode.rates)))
            case _Request.GET_MAX:
                return self._described(Choice(current.mode, min(current.mode.rates)))
            case _Request.GET_DEF:
                return self._described(self._usual)
            case _Request.GET_LEN:
                return struct.pack("<H", PROBE_BYTES)
            case _Request.GET_INFO:
                return _GET_AND_SET
        raise Stall

    def set_alt(self, _alt: int) -> None:
        """SET_INTERFACE: the host begins anew."""
        self._on_stop()

    def on_reset(self) -> None:
        """Another host, or none: what the one before has chosen is forgotten."""
        self._probed = self._committed = self._usual
        self._on_stop()

    def _set(self, control: int, choice: Choice) -> None:
        self._probed = choice
        if control == _COMMIT_CONTROL:
            self._committed = choice
            self._on_commit(choice)

    def _described(self, choice: Choice) -> bytes:
        return describe(self._modes, choice, self._max_payload)


def _format(number: int, sizes: Sequence[VideoMode]) -> bytes:
    """A format with its sizes and its colours."""
    if sizes[0].format is PixelFormat.YUYV:
        head = struct.pack("<BBBBB16sBBBBBB", 27, 0x24, 0x04, number, len(sizes), _YUY2, 16, 1, 0, 0, 0, 0)
        frame_kind = 0x05
    else:
        head = bytes((11, 0x24, 0x06, number, len(sizes), 0, 1, 0, 0, 0, 0))
        frame_kind = 0x07
    return head + b"".join(_frame(frame_kind, place, mode) for place, mode in enumerate(sizes, start=1)) + _COLOURS


def _frame(kind: int, number: int, mode: VideoMode) -> bytes:
    """A size, with the times between two pictures that can be asked for."""
    intervals = sorted(SECOND // rate for rate in mode.rates)
    bits = [8 * mode.most_bytes * rate for rate in (min(mode.rates), max(mode.rates))]
    return struct.pack(
        f"<BBBBBHHIIIIB{len(intervals)}I",
        *(26 + 4 * len(intervals), 0x24, kind, number, 0, mode.width, mode.height),
        *(*bits, mode.most_bytes, SECOND // mode.rates[0], len(intervals), *intervals),
    )
