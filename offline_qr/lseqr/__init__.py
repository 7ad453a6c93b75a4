"""LinOTP's QRToken (``lseqr://``): pairing and challenges, both sides.

The server shows a ``PairingUrl``; the token answers with a ``PairingResponse``; from then on the server issues a challenge
with ``issue`` and the token reads it with ``read``. Both get an ``Exchange``, whose TAN the user types.

An ordinary challenge of LinOTP carries no signature: whoever knows the user's public key can make one that a token
accepts. ``Exchange.signed`` says so, and a strict token warns of it. Nor does a challenge carry a time: its end is the
server's matter alone.
"""

from offline_qr.lseqr.challenge import Challenge, ContentType, Exchange, issue, read
from offline_qr.lseqr.errors import Damaged, LseqrError, NotEncodable, NotForThisToken, NotOurs, Unsupported
from offline_qr.lseqr.pairing import PairingResponse, PairingUrl, open_response, parse_pairing_url, seal_response

__all__ = [
    "Challenge",
    "ContentType",
    "Damaged",
    "Exchange",
    "LseqrError",
    "NotEncodable",
    "NotForThisToken",
    "NotOurs",
    "PairingResponse",
    "PairingUrl",
    "Unsupported",
    "issue",
    "open_response",
    "parse_pairing_url",
    "read",
    "seal_response",
]
