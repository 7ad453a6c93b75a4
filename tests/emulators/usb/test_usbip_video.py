import itertools
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.usb.usb_identity import UsbIdentity
from emulators.usb.usbip_function import composite_device
from emulators.usb.usbip_server import UsbIpServer
from emulators.usb.usbip_video import UsbVideo
from emulators.usb.video_modes import MODES, PixelFormat, VideoMode
from tests.emulators.usb.usbip_host import IN, UsbIpHost
from tests.emulators.usb.video_host import COMMIT, GET_DEF, GET_INFO, GET_LEN, GET_MAX, GET_MIN, PROBE, VideoHost

IDENTITY = UsbIdentity(0x1209, 0x0003, 0x0100, "Maker", "Test camera", "7")
STALL = -32


def _numbered() -> Callable[[VideoMode], bytes]:
    """Pictures that differ, and say in which mode they were taken."""
    numbers = itertools.count()

    def take(mode: VideoMode) -> bytes:
        head = f"{next(numbers)} {mode.format.value} {mode.width}x{mode.height} ".encode()
        return head + bytes(mode.most_bytes // 10 - len(head))

    return take


def _label(picture: bytes) -> list[str]:
    return picture[:64].rstrip(b"\0").decode().split()


@contextmanager
def _camera(take: Callable[[VideoMode], bytes] | None = None) -> Iterator[tuple[UsbVideo, UsbIpServer]]:
    with UsbVideo(take or _numbered(), "Test camera") as video, UsbIpServer(port=0) as server:
        server.plug_in(composite_device(IDENTITY, video.function))
        yield video, server


@contextmanager
def _hosted(
    take: Callable[[VideoMode], bytes] | None = None, request_bytes: int = 16_384
) -> Iterator[tuple[UsbVideo, VideoHost]]:
    with _camera(take) as (video, server):
        usb = UsbIpHost(server.address)
        try:
            yield video, VideoHost(usb, request_bytes=request_bytes)
        finally:
            usb.socket.close()


def _parts(configuration: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(configuration):
        yield configuration[at : at + configuration[at]]
        at += configuration[at]


def test_a_host_sees_a_high_speed_camera_with_two_formats_at_three_sizes() -> None:
    """Descriptors read byte by byte as UVC 1.1 chapter 3 lays them out, with every length right."""
    with _hosted() as (_, host):
        assert host.usb.speed == 3
        assert host.usb.descriptor(1)[4:7] == bytes((0xEF, 2, 1))
        configuration = host.usb.descriptor(2)
        parts = list(_parts(configuration))
        assert struct.unpack_from("<H", configuration, 2)[0] == len(configuration) == sum(map(len, parts))
        assert parts[1] == bytes((8, 0x0B, 0, 2, 0x0E, 3, 0, 4))
        control = next(part for part in parts if part[1:3] == b"\x24\x01" and len(part) == 13)
        inputs = parts.index(control)
        assert struct.unpack_from("<H", control, 5)[0] == sum(map(len, parts[inputs : inputs + 3]))
        assert control[12] == 1
        streaming = next(part for part in parts if part[1:3] == b"\x24\x01" and len(part) == 15)
        start, end = parts.index(streaming), len(parts) - 1
        assert struct.unpack_from("<H", streaming, 4)[0] == sum(map(len, parts[start:end]))
        assert streaming[6] == 0x83
        assert parts[end] == struct.pack("<BBBBHB", 7, 5, 0x83, 2, 512, 0)
        frames = [
            struct.unpack_from("<BBHHIIIIB", part, 3) for part in parts if part[1:3] in (b"\x24\x05", b"\x24\x07")
        ]
        assert [(frame[2], frame[3]) for frame in frames] == [(640, 480), (320, 240), (1280, 720)] * 2
        assert [frame[7] for frame in frames] == [333_333] * 5 + [1_000_000]
        assert all(frame[6] == 2 * frame[2] * frame[3] for frame in frames)


@pytest.mark.parametrize("format_number", [1, 2])
@pytest.mark.parametrize("frame", [1, 2, 3])
def test_the_pictures_are_of_the_kind_that_was_agreed_on(format_number: int, frame: int) -> None:
    """In each format and size; one after the other, none torn."""
    mode = MODES[(format_number - 1) * 3 + frame - 1]
    with _hosted() as (video, host):
        agreed = host.start(format_number, frame)
        assert (agreed.format, agreed.frame) == (format_number, frame)
        assert agreed.picture_bytes == 2 * mode.width * mode.height
        pictures = [host.picture() for _ in range(3)]
        assert [_label(picture) for picture in pictures] == [
            [str(number), mode.format.value, f"{mode.width}x{mode.height}"] for number in range(3)
        ]
        assert {len(picture) for picture in pictures} == {mode.most_bytes // 10}
        assert video.mode == mode


def test_a_host_may_ask_in_small_requests() -> None:
    """A payload then comes in several, and one that fills its last request is ended by an empty packet."""
    lengths = [1, 509, 510, 511, 1022, 16_382, 16_383, 40_000, 3 * 16_382]
    rest = iter(lengths)
    with _hosted(lambda _: bytes(next(rest, 1)), request_bytes=512) as (_, host):
        host.start()
        assert [len(host.picture()) for _ in lengths] == lengths


def test_pictures_come_at_the_rate_that_was_agreed_on() -> None:
    """Not faster than 30, or 5, a second, though the host would take more; a slower host misses some, and gets new ones."""
    with _hosted() as (_, host):
        for interval, rate in ((333_333, 30), (2_000_000, 5)):
            begun = time.monotonic()
            assert host.start(1, 2, interval).interval == interval
            for _ in range(4):
                host.picture()
            assert time.monotonic() - begun > 3 / rate
            host.stop()


def test_a_camera_that_cannot_be_is_refused() -> None:
    """Before a host sees it: odd or tiny sides, no rate."""
    for width, height, rates in [
        (641, 480, (30,)),
        (640, 46, (30,)),
        (640, 5000, (30,)),
        (640, 480, ()),
        (640, 480, (0,)),
    ]:
        with pytest.raises(ValueError, match="a camera"):
            VideoMode(PixelFormat.YUYV, width, height, rates)


def test_what_is_sent_is_never_old() -> None:
    """While the host takes nothing no picture is taken: it sees what the camera sees when it asks."""
    shown = b"old"
    with _hosted(lambda _: shown) as (_, host):
        host.start(1, 2)
        assert host.picture() == b"old"
        for number in host.waiting:
            host.usb.answer(number)
        host.waiting = []
        shown = b"new"
        host.waiting = [host.usb.submit(IN, host.endpoint, host.request_bytes) for _ in range(2)]
        assert host.picture() == b"new"


def test_stop_and_start_again_with_another_kind() -> None:
    """The first picture after it is whole and of the new kind."""
    with _hosted() as (video, host):
        for format_number, frame in [(1, 1), (2, 2), (1, 3), (2, 1)] * 3:
            host.start(format_number, frame)
            host.payload()  # a first payload, and the rest is never taken
            host.stop()
            assert not video.watched
            host.start(format_number, frame)
            mode = MODES[(format_number - 1) * 3 + frame - 1]
            picture = host.picture()
            assert _label(picture)[1:] == [mode.format.value, f"{mode.width}x{mode.height}"]
            assert len(picture) == mode.most_bytes // 10
            host.stop()


def test_what_is_not_offered_becomes_what_comes_nearest() -> None:
    """A number that is no format or size is the first, an interval the nearest; a request that is too short is refused."""
    with _hosted() as (_, host):
        for format_number, frame, interval, expected in [
            (0, 0, 0, (1, 1, 333_333)),
            (9, 200, 1, (1, 1, 333_333)),
            (2, 3, 333_333, (2, 3, 1_000_000)),
            (2, 2, 0xFFFFFFFF, (2, 2, 2_000_000)),
        ]:
            assert host.set(PROBE, format_number, frame, interval) == 0
            agreed = host.agreed()
            assert (agreed.format, agreed.frame, agreed.interval) == expected
        short = struct.pack("<BBHHH", 0x21, 1, PROBE, 1, 2)
        assert host.usb.answer(host.usb.submit(0, 0, 2, b"\0\0", short))[0] == STALL


def test_the_camera_tells_what_can_be_agreed_on() -> None:
    """Least, greatest and usual; which requests there are; and nothing about controls that it has not."""
    with _hosted() as (_, host):
        assert host.agreed(GET_MIN).interval == 333_333
        assert host.agreed(GET_MAX).interval == 2_000_000
        assert host.agreed(GET_DEF).frame == 1
        assert host.ask(GET_LEN, length=2) == (0, b"\x22\0")
        assert host.ask(GET_INFO, length=1) == (0, b"\x03")
        assert host.ask(0x84)[0] == STALL
        assert host.ask(GET_INFO, control=0x0900, length=1)[0] == STALL
        brightness = host.usb.control(0xA1, 0x81, 0x0200, 1 << 8, 2)
        assert brightness[0] == STALL
        assert host.usb.control(0xA1, 0x81, 0x0200, 0, 1) == (0, b"\x06")  # why: an unknown control


def test_another_host_begins_anew() -> None:
    """What the one before had agreed on is forgotten, though it left in the middle of a picture."""
    with _camera() as (video, server):
        first = VideoHost(UsbIpHost(server.address))
        first.start(2, 3)
        first.payload()
        first.usb.socket.close()
        deadline = time.monotonic() + 10
        while server._connections:
            assert time.monotonic() < deadline
        with ExitStack() as opened:
            usb = UsbIpHost(server.address)
            opened.callback(usb.socket.close)
            second = VideoHost(usb)
            assert second.agreed(control=COMMIT).format == 1
            second.start(1, 1)
            assert len(second.picture()) == MODES[0].most_bytes // 10
        assert video.mode is not None
        assert video.mode.format is PixelFormat.MJPEG


def test_unplugged_while_it_sends() -> None:
    """The host is cut off; plugged in again the camera works."""
    with UsbVideo(_numbered(), "camera") as video, UsbIpServer(port=0) as server:
        device = composite_device(IDENTITY, video.function)
        for _ in range(3):
            busid = server.plug_in(device)
            usb = UsbIpHost(server.address, busid)
            try:
                host = VideoHost(usb)
                host.start(2, 1)
                host.payload()
                server.unplug(busid)
                with pytest.raises((ConnectionResetError, BrokenPipeError)):
                    _take_for_ever(host)
            finally:
                usb.socket.close()
            assert not video.watched


def _take_for_ever(host: VideoHost) -> None:
    while True:
        host.payload()


@settings(max_examples=100)
@given(
    requests=st.lists(
        st.tuples(
            st.sampled_from([0x01, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x00, 0xFF]),
            st.integers(0, 0xFFFF),
            st.integers(0, 0xFFFF),
            st.binary(max_size=48),
        ),
        max_size=8,
    )
)
def test_no_request_hurts(shared: UsbIpServer, requests: list[tuple[int, int, int, bytes]]) -> None:
    """Whatever is asked of its interfaces is answered or refused; then it sends a picture."""
    usb = UsbIpHost(shared.address)
    try:
        for request, value, index, data in requests:
            setup = struct.pack("<BBHHH", 0xA1 if request & 0x80 else 0x21, request, value, index, len(data))
            direction = IN if request & 0x80 else 0
            status, _ = usb.answer(usb.submit(direction, 0, len(data), b"" if direction else data, setup))
            assert status in (0, STALL)
        host = VideoHost(usb)
        host.start(1, 2)
        assert _label(host.picture())[1:] == ["MJPG", "320x240"]
    finally:
        usb.socket.close()
    deadline = time.monotonic() + 10
    while shared._connections:
        assert time.monotonic() < deadline


@pytest.fixture(scope="module")
def shared() -> Iterator[UsbIpServer]:
    """One camera for many examples."""
    with _camera() as (_, server):
        yield server
