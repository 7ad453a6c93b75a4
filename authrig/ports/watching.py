"""How long an end of a port looks through a camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from emulators.camera_scanner.frames import Frame


def for_seconds(frames: Iterable[Frame], seconds: float, fewest: int) -> Iterator[Frame]:
    """The frames of the next ``seconds``, by the times that they carry, and ``fewest`` of them however slow the camera is."""
    began = None
    for number, frame in enumerate(frames, 1):
        began = frame.time if began is None else began
        yield frame
        if number >= fewest and frame.time - began >= seconds:
            return
