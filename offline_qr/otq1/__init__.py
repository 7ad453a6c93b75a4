"""OTQ1: an open protocol for offline QR tokens. A server asks, a token shows exactly that and answers with a code.

The protocol stands in docs/reference/otq1.md. Both sides are here. For logins and transactions: ``encode`` and ``judge``
for the server, ``decode`` for the token, ``compute_code`` for both. ``read_header`` tells a token which type it has
before it. No function here reads a clock.
"""

from offline_qr.otq1.body import CRITICAL, LABELS, Field, Tag
from offline_qr.otq1.challenge import (
    NO_INPUTS,
    Challenge,
    Inputs,
    compute_code,
    compute_decline_code,
    compute_duress_code,
)
from offline_qr.otq1.codec import decode, encode
from offline_qr.otq1.envelope import read_header
from offline_qr.otq1.errors import (
    BadSignature,
    Damaged,
    NotEncodable,
    NotForThisToken,
    NotOurs,
    Otq1Error,
    Unsupported,
)
from offline_qr.otq1.header import DEFAULT_TTL, STATELESS_SUITES, SUITES, Flags, Header, MessageType
from offline_qr.otq1.judge import Judgement, Verdict, counter_candidates, judge, resynchronise, time_candidates
from offline_qr.otq1.keys import Keys, derive_keys, key_id

__all__ = [
    "CRITICAL",
    "DEFAULT_TTL",
    "LABELS",
    "NO_INPUTS",
    "STATELESS_SUITES",
    "SUITES",
    "BadSignature",
    "Challenge",
    "Damaged",
    "Field",
    "Flags",
    "Header",
    "Inputs",
    "Judgement",
    "Keys",
    "MessageType",
    "NotEncodable",
    "NotForThisToken",
    "NotOurs",
    "Otq1Error",
    "Tag",
    "Unsupported",
    "Verdict",
    "compute_code",
    "compute_decline_code",
    "compute_duress_code",
    "counter_candidates",
    "decode",
    "derive_keys",
    "encode",
    "judge",
    "key_id",
    "read_header",
    "resynchronise",
    "time_candidates",
]
