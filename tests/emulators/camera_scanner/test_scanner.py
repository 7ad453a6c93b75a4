from collections.abc import Callable, Iterator

import numpy as np
import pytest

from emulators.camera_scanner import optics
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.camera_scanner.decoders import Read, read_codes
from emulators.camera_scanner.frames import CameraStopped, Frame, Image, ImageError
from emulators.camera_scanner.scanner import Scanner
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import SeededRandom

Draw = Callable[..., Image]


@pytest.fixture
def see(draw: Draw) -> Callable[[Scanner, float, str], list[bytes]]:
    """Shows a scanner a code (or, for "", nothing) at a time, and gives what it reports."""

    def scan(scanner: Scanner, time: float, text: str) -> list[bytes]:
        image = draw(text) if text else np.full((50, 50), 255, np.uint8)
        return [read.data for read in scanner.scan(Frame(image, time, "test"))]

    return scan


def test_a_code_in_view_is_reported_once(see: Callable[[Scanner, float, str], list[bytes]]) -> None:
    """However long it stays, and again when it has been away for the interval."""
    scanner = Scanner(same_code_interval=1.0)
    assert see(scanner, 0.0, "A") == [b"A"]
    assert [see(scanner, 0.5 * n, "A") for n in range(1, 10)] == [[]] * 9
    assert see(scanner, 5.0, "") == []
    assert see(scanner, 5.4, "A") == []
    assert see(scanner, 6.4, "A") == [b"A"]


def test_another_code_is_news_at_once(see: Callable[[Scanner, float, str], list[bytes]]) -> None:
    """The interval holds for each code by itself."""
    scanner = Scanner(same_code_interval=10.0)
    assert [see(scanner, 0.1 * n, text) for n, text in enumerate("ABAB")] == [[b"A"], [b"B"], [], []]


def test_without_an_interval_every_frame_reports(see: Callable[[Scanner, float, str], list[bytes]]) -> None:
    """Zero means: no de-duplication."""
    scanner = Scanner(same_code_interval=0)
    assert [see(scanner, 0.1 * n, "A") for n in range(3)] == [[b"A"]] * 3


def test_a_video_that_starts_over_is_news(see: Callable[[Scanner, float, str], list[bytes]]) -> None:
    """When time steps back, what was seen in the future is forgotten."""
    scanner = Scanner()
    assert see(scanner, 100.0, "A") == [b"A"]
    assert see(scanner, 0.0, "A") == [b"A"]


def test_what_is_out_of_view_is_forgotten() -> None:
    """A scanner that runs for a year does not remember a year of codes."""

    def read(image: Image) -> tuple[Read, ...]:
        data = image.tobytes()
        return (Read(data, "]Q1", 1, "M", ((0, 0), (1, 0), (1, 1), (0, 1)), "test", "direct", 0.0),)

    scanner = Scanner(same_code_interval=1.0, read=read)
    for n in range(5000):
        assert scanner.scan(Frame(np.array([[n % 256, n // 256]], np.uint8), float(n), "test"))
    assert len(scanner._seen) <= 2


def test_scanning_once_and_scanning_on(draw: Draw) -> None:
    """The caller takes one or all; a source that ends in a condition ends the scan with it."""

    def frames() -> Iterator[Frame]:
        yield Frame(np.full((50, 50), 255, np.uint8), 0.0, "test")
        for n, text in enumerate("AAB"):
            yield Frame(draw(text), 0.1 + n / 10, "test")
        raise CameraStopped("camera 0 stopped")

    frame, (read,) = next(Scanner().scan_all(frames()))
    assert (frame.time, read.data) == (0.1, b"A")
    found: list[tuple[Frame, tuple[Read, ...]]] = []
    with pytest.raises(CameraStopped):
        found.extend(Scanner().scan_all(frames()))
    assert [reads[0].data for _, reads in found] == [b"A", b"B"]


def test_a_frame_without_a_picture_changes_nothing(see: Callable[[Scanner, float, str], list[bytes]]) -> None:
    """The error is the caller's to see, and what was seen before is still known."""
    scanner = Scanner(same_code_interval=10)
    assert see(scanner, 0.0, "A") == [b"A"]
    with pytest.raises(ImageError):
        scanner.scan(Frame(np.zeros((0, 0), np.uint8), 1.0, "test"))
    assert see(scanner, 2.0, "A") == []


def test_continuous_mode_reports_what_stays_in_view_again(see: Callable[[Scanner, float, str], list[bytes]]) -> None:
    """Once in each interval."""
    scanner = Scanner(same_code_interval=1.0, mode=TriggerMode.CONTINUOUS)
    assert [see(scanner, 0.5 * n, "A") for n in range(5)] == [[b"A"], [], [b"A"], [], [b"A"]]


def test_a_host_starts_a_look_that_ends_with_the_first_read(see: Callable[[Scanner, float, str], list[bytes]]) -> None:
    """Before it, after it and after its time nothing is read; a look may read what the last one read."""
    scanner = Scanner(mode=TriggerMode.HOST, read_timeout=2.0)
    assert see(scanner, 0.0, "A") == []
    scanner.start()
    assert see(scanner, 0.1, "") == []
    assert scanner.looking
    assert see(scanner, 0.2, "A") == [b"A"]
    assert see(scanner, 0.3, "B") == []
    scanner.start()
    assert see(scanner, 0.4, "A") == [b"A"]
    scanner.start()
    assert see(scanner, 1.0, "") == []
    assert see(scanner, 3.0, "B") == []
    scanner.start()
    scanner.stop()
    assert see(scanner, 3.1, "B") == []


def dark_frames(draw: Draw, count: int, *, move: int = 0) -> Iterator[Frame]:
    """A still hand before a sensor that gets hardly any light; each frame ``move`` pixels beside the last."""
    bright = SyntheticCamera(SeededRandom(3), "desk").photograph(draw("in the dark", scale=6))
    for number in range(count):
        dark = optics.exposure(np.roll(bright, move * number, axis=1), 0.03)
        yield Frame(optics.sensor_noise(dark, 6, number), number / 30, "dark")


def test_still_frames_in_the_dark_are_added_up(draw: Draw) -> None:
    """Where no single frame can be read, four are; when something moves they are not mixed."""
    assert [read_codes(frame.image, deadline_ms=60_000) for frame in dark_frames(draw, 8)] == [()] * 8

    def read(image: Image) -> tuple[Read, ...]:
        return read_codes(image, deadline_ms=60_000)

    (frame, (found,)) = next(Scanner(read=read).scan_all(dark_frames(draw, 8)))
    assert (found.data, found.stage.split(",")[0]) == (b"in the dark", "mean-of-4")
    assert frame.time == pytest.approx(3 / 30)
    assert list(Scanner(read=read).scan_all(dark_frames(draw, 8, move=40))) == []


def test_a_micro_qr_must_be_seen_in_two_frames_in_a_row() -> None:
    """A frame without it in between starts over; other codes count at once."""
    corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    codes = {n: Read(b"%d" % n, "]Q1", None, "L", corners, "test", "micro", 0.0, micro=n < 9) for n in (1, 2, 9)}
    scanner = Scanner(0, read=lambda image: tuple(codes[n] for n in image[0] if n))
    shown = (1, 0, 1, 2, 2, 9, 1, 1)
    reads = [scanner.scan(Frame(np.array([[n]], np.uint8), 0.1 * at, "test")) for at, n in enumerate(shown)]
    assert [[read.data for read in news] for news in reads] == [[], [], [], [], [b"2"], [b"9"], [], [b"1"]]


def test_a_frame_in_the_dark_is_read_once(draw: Draw) -> None:
    """Alone or as a part of the sum, never both: each frame has one deadline."""
    looks: list[Image] = []

    def blind(image: Image) -> tuple[Read, ...]:
        looks.append(image)
        return ()

    scanner = Scanner(read=blind)
    for frame in dark_frames(draw, 8):
        scanner.scan(frame)
    assert [image.ndim for image in looks] == [3, 3, 3, 2, 2, 2, 2, 2]
