"""When a shell lets the key work ahead: while no host has said anything for a while."""

from emulators.fido_authenticator.authenticator import Authenticator

_QUIET_MS = 500.0
"""So long after the last event the key counts as idle."""
_BREATH_MS = 20.0
"""Between two steps of a few milliseconds each, so that a host which comes now hardly notices."""


class Preparation:
    """Shortens a transport's pauses while ``authenticator`` has something to prepare."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._longest: float | None = _QUIET_MS

    def shorten(self, pause: float | None) -> float | None:
        """How long to wait for the next event at most, in milliseconds, where ``pause`` was meant; None: for ever."""
        if pause is None or self._longest is None:
            return self._longest if pause is None else pause
        return min(pause, self._longest)

    def waited(self, *, idle: bool) -> None:
        """The transport has waited; ``idle``: nothing happened and nothing is under way, so there is time for a step."""
        if not idle:
            self._longest = _QUIET_MS
        elif self._longest is not None:
            self._longest = _BREATH_MS if self._authenticator.prepare() else None
