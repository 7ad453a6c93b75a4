"""A capture for Wireshark, made from the reports in an event log (docs/how-to/capture-traffic.md)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from authrig.captures.capture import Capture
from authrig.evidence.event_log import Logged
from emulators.env import SIMULATED_START
from emulators.fido_authenticator.ctaphid import Direction
from emulators.fido_authenticator.profile import load

LAYER: Final = "ctaphid"
NAME: Final = "keys.pcapng"
_DIRECTIONS: Final[dict[str, Direction]] = {"to_device": "to_key", "from_device": "to_host"}


class _TimeOfTheEvent:
    """A clock that shows when the event happened that is written down."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def time(self) -> float:
        """Seconds since 1970, the test having begun when simulated time does."""
        return SIMULATED_START + self.seconds

    def monotonic(self) -> float:
        """Seconds since the test began."""
        return self.seconds


def write_capture(path: Path, log: Iterable[Logged], test: str) -> bool:
    """Write the reports of ``log`` to ``path``, one interface for each key, ``test`` in a comment; False if it has none.

    The descriptors before the first report are those of our own key: what an attached one has is not in the log.

    Raises:
        RigError: if it cannot be written.
    """
    reports = [logged for logged in log if logged.event.layer == LAYER]
    if not reports:
        return False
    clock, profile = _TimeOfTheEvent(), load()
    capture = Capture(path)
    capture.annotate(test)
    names = dict.fromkeys(logged.event.device for logged in reports)
    taps = {name: capture.hid_tap(profile, clock, name) for name in names}
    for logged in reports:
        clock.seconds = logged.time
        taps[logged.event.device](_DIRECTIONS[logged.event.direction], logged.event.data)
    capture.close()
    return True
