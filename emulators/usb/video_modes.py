"""The pictures that a USB camera offers: formats, sizes and how many a second."""

from dataclasses import dataclass
from enum import Enum


class PixelFormat(Enum):
    """How a picture is packed; the value is what V4L2 calls it."""

    MJPEG = "MJPG"
    """Each picture a JPEG file of its own."""
    YUYV = "YUYV"
    """Two bytes for a pixel: brightness of both, colour of each pair (YUY2, 4:2:2)."""


@dataclass(frozen=True, slots=True)
class VideoMode:
    """One kind of picture; ``rates`` are pictures a second, the usual one first."""

    format: PixelFormat
    width: int
    height: int
    rates: tuple[int, ...] = (30, 15, 5)

    def __post_init__(self) -> None:
        """Refuse what no camera has, and what no JPEG would fit into."""
        sides = (self.width, self.height)
        if any(side % 2 for side in sides) or not 48 <= min(sides) <= max(sides) <= 4096:
            raise ValueError(f"a camera has even sides of 48 to 4096 pixels, found {self.width}x{self.height}")
        if not self.rates or not all(1 <= rate <= 240 for rate in self.rates):
            raise ValueError(f"a camera takes 1 to 240 pictures a second, found {self.rates}")

    @property
    def most_bytes(self) -> int:
        """Of one picture: what YUYV needs, and more than any JPEG of it should."""
        return 2 * self.width * self.height


MODES = (
    VideoMode(PixelFormat.MJPEG, 640, 480),
    VideoMode(PixelFormat.MJPEG, 320, 240),
    VideoMode(PixelFormat.MJPEG, 1280, 720),
    VideoMode(PixelFormat.YUYV, 640, 480),
    VideoMode(PixelFormat.YUYV, 320, 240),
    # More would not fit through high-speed USB, and no camera offers it.
    VideoMode(PixelFormat.YUYV, 1280, 720, (10, 5)),
)
"""What an ordinary webcam offers; a host takes the first unless it is told otherwise."""
