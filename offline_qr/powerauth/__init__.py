"""PowerAuth's offline signature by QR code (Wultra), both sides: an operation that the server signed, and a code for it.

The QR code holds the operation in the clear with the server's ECDSA signature: a token checks it before it shows anything.
The code is one number for each factor, chained: possession (the token) and knowledge (its PIN). The knowledge key is stored
under the PIN without any check value, so that only the server can tell a wrong PIN. A counter that is hashed onwards makes
each code good once. How keys get into a token (PowerAuth's activation) is not part of this.
"""

from offline_qr.powerauth.code import (
    LOOK_AHEAD,
    CodeKeys,
    compute_code,
    group_code,
    next_counter,
    normalise_code,
    verify_code,
)
from offline_qr.powerauth.errors import BadSignature, Damaged, NotOurs, PowerAuthError
from offline_qr.powerauth.operation import Field, OperationData, parse_operation_data
from offline_qr.powerauth.qr import KeyType, Operation, encode, parse

__all__ = [
    "LOOK_AHEAD",
    "BadSignature",
    "CodeKeys",
    "Damaged",
    "Field",
    "KeyType",
    "NotOurs",
    "Operation",
    "OperationData",
    "PowerAuthError",
    "compute_code",
    "encode",
    "group_code",
    "next_counter",
    "normalise_code",
    "parse",
    "parse_operation_data",
    "verify_code",
]
