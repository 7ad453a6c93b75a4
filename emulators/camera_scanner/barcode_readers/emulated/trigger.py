"""When a reader looks, and which of the codes that it sees it reports."""

from dataclasses import dataclass

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.env import Clock


@dataclass(frozen=True, slots=True)
class Pace:
    """How a trigger goes about time, in seconds."""

    mode: TriggerMode = TriggerMode.MANUAL
    read_timeout: float | None = 5.0
    """How long a read may take once it was triggered; None: for ever."""
    interval: float = 0.0
    """The shortest time between two reads of whatever code, in the modes that always look."""
    same_code_delay: float | None = None
    """The shortest time between two reads of the same code, in the modes that always look; None: no such rule."""


class Trigger:
    """Turns what is shown to a reader, its button and its host's commands into reads."""

    def __init__(self, clock: Clock, pace: Pace) -> None:
        self._clock = clock
        self.pace = pace
        self.enabled = True
        self._shown: Code | None = None
        self._reported_in_view = False
        self._looking = False
        self._until: float | None = None
        self._last: tuple[bytes, float] | None = None

    @property
    def looking(self) -> bool:
        """Whether a code that is shown now would be read."""
        return self.enabled and (self._always or self._looking)

    def show(self, code: Code | None) -> None:
        """Let ``code`` be in view from now on; None takes it away."""
        if code is None or self._shown is None or code.data != self._shown.data:
            self._reported_in_view = False
        self._shown = code

    def start(self, *, by_host: bool) -> bool:
        """Pull the trigger; whether that does anything in this mode."""
        if not self.enabled or self._always or (self.pace.mode is TriggerMode.HOST and not by_host):
            return False
        self._looking = True
        timeout = self.pace.read_timeout
        self._until = None if timeout is None else self._clock.monotonic() + timeout
        return True

    def stop(self) -> None:
        """Let go of the trigger."""
        self._looking = False

    def poll(self) -> Code | None:
        """The read that is due now."""
        now = self._clock.monotonic()
        if self._looking and self._until is not None and now >= self._until:
            self._looking = False
        due = self._due()
        if due is None or now < due or self._shown is None:
            return None
        self._looking = False
        self._reported_in_view = True
        self._last = (self._shown.data, now)
        return self._shown

    def next_deadline(self) -> float | None:
        """When ``poll`` would do something, in monotonic seconds."""
        ends = self._until if self._looking else None
        return min((moment for moment in (self._due(), ends) if moment is not None), default=None)

    @property
    def _always(self) -> bool:
        return self.pace.mode in {TriggerMode.CONTINUOUS, TriggerMode.PRESENTATION}

    def _due(self) -> float | None:
        """When the code in view is to be reported; None: not at all."""
        if self._shown is None or not self.looking:
            return None
        if not self._always or self._last is None:
            return 0.0
        if self.pace.mode is TriggerMode.PRESENTATION and self._reported_in_view:
            return None
        data, at = self._last
        wait = self.pace.interval
        if data == self._shown.data and self.pace.same_code_delay is not None:
            wait = max(wait, self.pace.same_code_delay)
        return at + wait
