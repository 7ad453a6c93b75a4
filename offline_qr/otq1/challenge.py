"""A challenge, the question that it asks, and the codes that answer it."""

import hashlib
from dataclasses import dataclass, field

from offline_qr.otq1.body import Field, pack_fields
from offline_qr.otq1.errors import NotEncodable, Unsupported
from offline_qr.otq1.header import PIN_SUITE, SUITES, Header, MessageType
from offline_qr.otq1.keys import Keys

CHALLENGE_TYPES = (MessageType.LOGIN, MessageType.TRANSACTION)
DOMAINS = {
    MessageType.LOGIN: b"OTQ1 login\0",
    MessageType.TRANSACTION: b"OTQ1 txn\0",
    MessageType.ACTIVATION: b"OTQ1 admin\0",
    MessageType.ADMIN: b"OTQ1 admin\0",
}
_DECLINE_SUITE = SUITES[1]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What goes into a code besides the question. A suite wants exactly those that it names."""

    counter: int | None = None
    """Suite 3: the token's counter, 0 to 2^64-1."""
    pin: str | None = field(default=None, repr=False)
    """Suite 4: the PIN as it was typed, on the token's side; or"""
    pin_hash: bytes | None = field(default=None, repr=False)
    """Suite 4: SHA-256 of the PIN, on the server's side. Never both."""
    time_step: int | None = None
    """Suite 5: whole minutes since 1970."""


NO_INPUTS = Inputs()


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server asks one user to confirm.

    Raises:
        NotEncodable: the header is no login's or transaction's, or the fields break a rule that concerns all together.
    """

    header: Header
    fields: tuple[Field, ...]
    body: bytes = field(init=False, repr=False, compare=False)
    """The fields as the bytes that are sealed. There is one encoding per content."""

    def __post_init__(self) -> None:
        if self.header.type not in CHALLENGE_TYPES:
            raise NotEncodable(f"a challenge is a login or a transaction, found type {self.header.type}")
        # Packed once: the rules that concern all fields are checked by it, and seal and question are made of it.
        object.__setattr__(self, "body", pack_fields(self.fields))

    @property
    def question(self) -> str:
        """The OCRA question: over everything that is shown."""
        return question(self.header, self.body)


def question(header: Header, body: bytes) -> str:
    """The OCRA question, 64 hex digits: SHA-256 over domain, header and body."""
    return hashlib.sha256(DOMAINS[header.type] + header.pack() + body).hexdigest()


def compute_code(challenge: Challenge, keys: Keys, inputs: Inputs = NO_INPUTS) -> str:
    """The code with which the user agrees: 8 decimal digits, or 6 under suite 2.

    Raises:
        ocra.DataInputError: an input that the suite names is missing, or one that it does not name is given.
    """
    key = {MessageType.LOGIN: keys.ocra_login, MessageType.TRANSACTION: keys.ocra_txn}[challenge.header.type]
    return _compute(challenge, key, inputs)


def compute_duress_code(challenge: Challenge, keys: Keys, inputs: Inputs = NO_INPUTS) -> str:
    """The code that looks like the right one and raises a silent alarm: same suite, same inputs, another key.

    Raises:
        Unsupported: under suite 4, where the token cannot tell one PIN from another: there the server knows a duress PIN
            by its hash.
        ocra.DataInputError: an input that the suite names is missing, or one that it does not name is given.
    """
    if challenge.header.suite == PIN_SUITE:
        raise Unsupported(f"suite {PIN_SUITE} has no duress code: only the server can tell a duress PIN from the PIN")
    return _compute(challenge, keys.ocra_duress, inputs)


def compute_decline_code(challenge: Challenge, keys: Keys) -> str:
    """The code with which the user reports the challenge as not theirs: 8 decimal digits, whatever the suite."""
    return _DECLINE_SUITE.compute(keys.decline, challenge.question)


def _compute(challenge: Challenge, key: bytes, inputs: Inputs) -> str:
    return challenge.header.ocra_suite.compute(
        key,
        challenge.question,
        counter=inputs.counter,
        pin=inputs.pin,
        pin_hash=inputs.pin_hash,
        time_step=inputs.time_step,
    )
