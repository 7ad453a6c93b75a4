"""What a token holds in its working memory while it is on: who has signed in, and the keys. Dark, nothing of it is left."""

from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities.base import Personality
from emulators.hwtoken.personalities.table import personalities_of


class Session:
    """From one power-on to the next power-off."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._personalities: tuple[Personality, ...] | None = None
        self.signed_in = False
        """The PIN was typed, or the duress PIN."""
        self.duress = False
        """It was the duress PIN."""
        self.pushes_seen: set[str] = set()
        """Ids of pushes that were on the panel."""

    def __repr__(self) -> str:
        return f"Session(signed_in={self.signed_in})"

    @property
    def is_open(self) -> bool:
        """Whether no PIN stands between the user and the keys."""
        return self._parts.profile.pin is None or self.signed_in

    @property
    def has_keys(self) -> bool:
        """Whether keys are in the working memory."""
        return self._personalities is not None

    @property
    def personalities(self) -> tuple[Personality, ...]:
        """The model's protocols with the keys that the memory has."""
        if self._personalities is None:
            self._personalities = personalities_of(self._parts)
        return self._personalities

    def renew(self) -> None:
        """Take the keys from the memory again: some may have come, or gone."""
        self._personalities = None

    def end(self) -> None:
        """Forget it."""
        self.signed_in = self.duress = False
        self.pushes_seen.clear()
        self._personalities = None
