from collections.abc import Callable, Iterator

import numpy as np
import pytest

from emulators.camera_scanner.decoders import Read
from emulators.camera_scanner.frames import CameraStopped, Frame, Image, ImageError
from emulators.camera_scanner.scanner import Scanner

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
