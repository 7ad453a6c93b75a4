"""What a host's video driver does, for tests: agree on pictures, take payloads and put them together (UVC 1.1 §2.4.3)."""

import struct
from dataclasses import dataclass

from tests.emulators.usb.usbip_host import IN, OUT, UsbIpHost

SET_CUR, GET_CUR, GET_MIN, GET_MAX, GET_LEN, GET_INFO, GET_DEF = 0x01, 0x81, 0x82, 0x83, 0x85, 0x86, 0x87
PROBE, COMMIT = 0x0100, 0x0200
_PROBE = struct.Struct("<HBBIHHHHHIIIBBBB")


@dataclass(frozen=True)
class Agreed:
    """The fields of a probe that matter."""

    format: int
    frame: int
    interval: int
    picture_bytes: int
    payload_bytes: int


class VideoHost:
    """A host of the camera whose streaming interface is ``interface``, with requests of ``request_bytes``."""

    def __init__(self, usb: UsbIpHost, interface: int = 1, endpoint: int = 3, request_bytes: int = 16_384) -> None:
        self.usb = usb
        self.interface = interface
        self.endpoint = endpoint
        self.request_bytes = request_bytes
        self.waiting = list[int]()

    def ask(self, request: int, control: int = PROBE, length: int = 34) -> tuple[int, bytes]:
        """A class request that reads."""
        return self.usb.control(0xA1, request, control, self.interface, length)

    def agreed(self, request: int = GET_CUR, control: int = PROBE) -> Agreed:
        """What the camera says."""
        status, data = self.ask(request, control)
        assert (status, len(data)) == (0, 34)
        fields = _PROBE.unpack(data)
        return Agreed(*fields[1:4], *fields[9:11])

    def set(self, control: int, format_number: int, frame: int, interval: int = 0) -> int:
        """SET_CUR; returns the status."""
        data = _PROBE.pack(1, format_number, frame, interval, *([0] * 12))
        setup = struct.pack("<BBHHH", 0x21, SET_CUR, control, self.interface, len(data))
        return self.usb.answer(self.usb.submit(OUT, 0, len(data), data, setup))[0]

    def start(self, format_number: int = 1, frame: int = 1, interval: int = 0) -> Agreed:
        """Probe, commit and begin to ask."""
        assert self.set(PROBE, format_number, frame, interval) == 0
        agreed = self.agreed()
        assert self.set(COMMIT, agreed.format, agreed.frame, agreed.interval) == 0
        self.waiting = [self.usb.submit(IN, self.endpoint, self.request_bytes) for _ in range(5)]
        return agreed

    def stop(self) -> None:
        """Take all requests back and clear the halt, as Linux does."""
        for number in self.waiting:
            if self.usb.unlink(number) == 0:
                self.usb.answer(number)
        self.waiting = []
        clear = struct.pack("<BBHHH", 0x02, 1, 0, 0x80 | self.endpoint, 0)
        assert self.usb.answer(self.usb.submit(OUT, 0, 0, setup=clear))[0] == 0

    def packet(self) -> bytes:
        """What answers the oldest request; another one takes its place."""
        status, data = self.usb.answer(self.waiting.pop(0))
        assert status == 0
        self.waiting.append(self.usb.submit(IN, self.endpoint, self.request_bytes))
        return data

    def payload(self) -> tuple[int, bytes]:
        """The flags and the data of the next payload, which ends with a short packet or at its greatest length."""
        data = b""
        while True:
            packet = self.packet()
            data += packet
            if len(packet) < self.request_bytes or len(data) == 16_384:
                break
        assert data[0] == 2
        assert len(data) >= 2
        return data[1], data[2:]

    def picture(self) -> bytes:
        """A whole picture: payloads with the same frame id, up to the one with the mark of the end."""
        flags, data = self.payload()
        frame_id = flags & 1
        while not flags & 2:
            flags, more = self.payload()
            assert flags & 1 == frame_id, "a picture ended without its mark"
            data += more
        return data
