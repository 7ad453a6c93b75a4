"""What the device needs from a protocol, whichever it is: something to review, and the code once it is confirmed."""

from typing import Protocol

from emulators.hwtoken.layout import Entry
from emulators.hwtoken.screens import ErrorKind


class Rejected(Exception):  # noqa: N818 - no program error: the answer "there will be no code" and the screen that says why
    """What the camera saw must not be answered; ``kind`` and ``sentence`` are for the error screen."""

    def __init__(self, kind: ErrorKind, sentence: str) -> None:
        self.kind = kind
        self.sentence = sentence
        super().__init__(f"{kind.value}: {sentence}")


class Proposal(Protocol):
    """A genuine challenge: what the user must read before its code exists."""

    @property
    def challenge_id(self) -> bytes:
        """What tells this challenge from others of the same token; the replay cache keeps it."""
        ...

    @property
    def title(self) -> str:
        """One or two words of the device's own for the title bar."""
        ...

    @property
    def purpose(self) -> str:
        """A sentence of the device's own: what typing the code does."""
        ...

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Everything that the code covers and the user can judge, in the order to show."""
        ...

    @property
    def one_entry_a_page(self) -> bool:
        """Whether the server asks that each entry be confirmed by itself."""
        ...

    def check_time(self, now: float | None) -> None:
        """Make sure that the challenge is alive at ``now`` (seconds since 1970); None: the device has no clock.

        Raises:
            Rejected: it has ended, or is not valid yet.
        """
        ...

    def compute_code(self) -> str:
        """The digits. Called once the user has confirmed the last page, never before."""
        ...


class Personality(Protocol):
    """One protocol with one token's keys."""

    def propose(self, data: bytes, *, has_clock: bool) -> Proposal:
        """The challenge in ``data``, the bytes of one QR code as the decoder gave them.

        Args:
            data: anything that a camera can see.
            has_clock: whether the device can check times itself; where it cannot, the entries must show them.

        Raises:
            Rejected: it is no challenge of this protocol for this token, by the kind that the user can act on.
        """
        ...
