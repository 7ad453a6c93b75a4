"""OTQ1: an open protocol for offline QR tokens. A server asks, a token shows exactly that and answers with a code.

The protocol stands in docs/reference/otq1.md. Both sides are here: ``encode`` for the server, ``decode`` for the token,
``compute_code`` for both. No function here reads a clock.
"""

from offline_qr.otq1.body import CRITICAL, LABELS, Field, Tag
from offline_qr.otq1.challenge import Challenge, compute_code, compute_decline_code
from offline_qr.otq1.codec import decode, encode
from offline_qr.otq1.errors import Damaged, NotEncodable, NotForThisToken, NotOurs, Otq1Error, Unsupported
from offline_qr.otq1.header import DEFAULT_TTL, Flags, Header, MessageType
from offline_qr.otq1.keys import Keys, derive_keys, key_id

__all__ = [
    "CRITICAL",
    "DEFAULT_TTL",
    "LABELS",
    "Challenge",
    "Damaged",
    "Field",
    "Flags",
    "Header",
    "Keys",
    "MessageType",
    "NotEncodable",
    "NotForThisToken",
    "NotOurs",
    "Otq1Error",
    "Tag",
    "Unsupported",
    "compute_code",
    "compute_decline_code",
    "decode",
    "derive_keys",
    "encode",
    "key_id",
]
