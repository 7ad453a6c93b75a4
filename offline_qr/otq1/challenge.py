"""A challenge, the question that it asks, and the codes that answer it."""

import hashlib
from dataclasses import dataclass

from offline_qr.otq1.body import Field, pack_fields
from offline_qr.otq1.header import SUITES, Header, MessageType
from offline_qr.otq1.keys import Keys

_DOMAINS = {MessageType.LOGIN: b"OTQ1 login\0", MessageType.TRANSACTION: b"OTQ1 txn\0"}
_DECLINE_SUITE = SUITES[1]


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server asks one user to confirm.

    Raises:
        NotEncodable: the fields break a rule that concerns all of them together.
    """

    header: Header
    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        pack_fields(self.fields)

    @property
    def body(self) -> bytes:
        """The fields as the bytes that are sealed. There is one encoding per content."""
        return pack_fields(self.fields)

    @property
    def question(self) -> str:
        """The OCRA question, 64 hex digits: SHA-256 over domain, header and body, so over everything that is shown."""
        return hashlib.sha256(_DOMAINS[self.header.type] + self.header.pack() + self.body).hexdigest()


def compute_code(challenge: Challenge, keys: Keys) -> str:
    """The code with which the user agrees: 8 decimal digits, or 6 under suite 2."""
    key = {MessageType.LOGIN: keys.ocra_login, MessageType.TRANSACTION: keys.ocra_txn}[challenge.header.type]
    return challenge.header.ocra_suite.compute(key, challenge.question)


def compute_decline_code(challenge: Challenge, keys: Keys) -> str:
    """The code with which the user reports the challenge as not theirs: 8 decimal digits, whatever the suite."""
    return _DECLINE_SUITE.compute(keys.decline, challenge.question)
