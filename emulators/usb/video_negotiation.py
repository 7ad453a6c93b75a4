"""How a host and a camera agree on a format, a size and a rate: the probe and commit controls (UVC 1.1 §4.3.1.1)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from emulators.usb.video_modes import VideoMode

SECOND = 10_000_000
"""In the units of 100 ns in which UVC gives the time between two pictures."""
CLOCK_FREQUENCY = 48_000_000
_PROBE = struct.Struct("<HBBIHHHHHIIIBBBB")
_ASKED = struct.Struct("<HBBI")
PROBE_BYTES = _PROBE.size
_FRAME_ID_AND_END = 0x03


@dataclass(frozen=True, slots=True)
class Choice:
    """What is sent: pictures of ``mode``, ``rate`` of them a second."""

    mode: VideoMode
    rate: int


def by_format(modes: Sequence[VideoMode]) -> list[list[VideoMode]]:
    """The modes of each format; a host names one by the numbers of its format and of its size, both from 1."""
    return [list(group) for _, group in groupby(modes, key=lambda mode: mode.format)]


def choose(modes: Sequence[VideoMode], asked: bytes) -> Choice:
    """What comes nearest to what a host asks for (at least 8 bytes of a probe): the first for a number that is none."""
    _, format_number, frame_number, interval = _ASKED.unpack_from(asked)
    formats = by_format(modes)
    sizes = formats[format_number - 1] if 0 < format_number <= len(formats) else formats[0]
    mode = sizes[frame_number - 1] if 0 < frame_number <= len(sizes) else sizes[0]
    rate = min(mode.rates, key=lambda rate: abs(SECOND // rate - interval)) if interval else mode.rates[0]
    return Choice(mode, rate)


def describe(modes: Sequence[VideoMode], choice: Choice, max_payload: int) -> bytes:
    """A choice as the device tells it."""
    formats = by_format(modes)
    format_number = next(number for number, sizes in enumerate(formats, start=1) if choice.mode in sizes)
    frame_number = formats[format_number - 1].index(choice.mode) + 1
    return _PROBE.pack(
        1,  # the time between two pictures is what the host may rely on
        format_number,
        frame_number,
        SECOND // choice.rate,
        *(0, 0, 0, 0, 0),  # rates of key frames, quality, window, delay: not for these formats
        choice.mode.most_bytes,
        max_payload,
        CLOCK_FREQUENCY,
        _FRAME_ID_AND_END,
        *(0, 0, 0),  # versions of payload formats that have versions
    )
