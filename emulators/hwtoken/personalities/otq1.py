"""OTQ1 on the device: bytes from the camera, entries to review, the code (docs/reference/otq1.md)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from emulators.hwtoken.layout import Entry
from emulators.hwtoken.personalities import foreign
from emulators.hwtoken.personalities.base import Rejected
from emulators.hwtoken.screens import ErrorKind
from offline_qr import otq1

DRIFT_SECONDS = 120
"""How far the device's clock and the server's may be apart (docs/reference/otq1.md)."""

TITLES = {otq1.MessageType.LOGIN: "Login", otq1.MessageType.TRANSACTION: "Transaction"}
PURPOSES = {
    otq1.MessageType.LOGIN: "Type it to log in",
    otq1.MessageType.TRANSACTION: "Type it to approve",
}
NO_DETAILS = Entry("Details", "none given")
"""What a login without fields says. A transaction without fields would be signed blindly and is refused."""
KNOWN_FLAGS = otq1.Flags.CONFIRM_EACH_FIELD
"""What this device can do of what a server may ask besides; any other flag is refused."""


@dataclass(frozen=True, slots=True)
class Otq1Proposal:
    """A challenge that was sealed for this token."""

    challenge: otq1.Challenge
    keys: otq1.Keys
    has_clock: bool

    @property
    def challenge_id(self) -> bytes:
        """The message's own random id."""
        return self.challenge.header.challenge_id

    @property
    def title(self) -> str:
        """Login or transaction."""
        return TITLES[self.challenge.header.type]

    @property
    def purpose(self) -> str:
        """What typing the code does."""
        return PURPOSES[self.challenge.header.type]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The fields as received; before them, on a device without a clock, when the challenge was issued."""
        fields = tuple(Entry(field.display_label, field.value) for field in self.challenge.fields)
        issued = () if self.has_clock else (Entry("Issued", self._issued),)
        return issued + (fields or (NO_DETAILS,))

    @property
    def one_entry_a_page(self) -> bool:
        """As the message's flags say."""
        return bool(self.challenge.header.flags & otq1.Flags.CONFIRM_EACH_FIELD)

    @property
    def _issued(self) -> str:
        return datetime.fromtimestamp(self.challenge.header.issued_at, UTC).strftime("%Y-%m-%d %H:%M UTC")

    def check_time(self, now: float | None) -> None:
        """Refuse a challenge that has ended or comes from the future, with two minutes for clocks that drift.

        Raises:
            Rejected: as above.
        """
        header = self.challenge.header
        if now is None:
            return
        if header.expired_at(now, DRIFT_SECONDS):
            raise Rejected(ErrorKind.EXPIRED, "This challenge has ended. Get a new one.")
        if header.in_the_future_at(now, DRIFT_SECONDS):
            raise Rejected(ErrorKind.NOT_YET_VALID, "This challenge is from the future.")

    def compute_code(self) -> str:
        """Eight digits, or six under suite 2."""
        return otq1.compute_code(self.challenge, self.keys)


class Otq1Personality:
    """The OTQ1 protocol with the keys of one token."""

    def __init__(self, serial: str, seed: bytes) -> None:
        self._key_id = otq1.key_id(serial)
        self._keys = otq1.derive_keys(serial, seed)

    def propose(self, data: bytes, *, has_clock: bool) -> Otq1Proposal:
        """The challenge in ``data``.

        Raises:
            Rejected: for anything that is no OTQ1 challenge for this token which this device can show.
        """
        try:
            challenge = otq1.decode(data, self._keys, self._key_id)
        except otq1.NotOurs:
            sentence = f"This is {foreign.name_of(data)}, not a challenge."
            raise Rejected(ErrorKind.NOT_OURS, sentence) from None
        except otq1.Unsupported:
            raise Rejected(ErrorKind.UNSUPPORTED, "It asks for what this token cannot do.") from None
        except otq1.NotForThisToken:
            raise Rejected(ErrorKind.NOT_FOR_THIS_TOKEN, "It is meant for another token.") from None
        except otq1.Otq1Error:
            raise Rejected(ErrorKind.DAMAGED, "It was changed or cut. Scan again.") from None
        if challenge.header.flags & ~KNOWN_FLAGS:
            raise Rejected(ErrorKind.UNSUPPORTED, "It asks for what this token cannot do.")
        if challenge.header.type is otq1.MessageType.TRANSACTION and not challenge.fields:
            raise Rejected(ErrorKind.UNSUPPORTED, "It does not say what it is for.")
        return Otq1Proposal(challenge, self._keys, has_clock)
