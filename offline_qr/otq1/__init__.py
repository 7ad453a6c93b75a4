"""OTQ1: an open protocol for offline QR tokens. A server asks, a token shows exactly that and answers with a code.

The protocol stands in docs/reference/otq1.md. Both sides are here. For logins and transactions: ``encode`` and ``judge``
for the server, ``decode`` for the token, ``compute_code`` for both; activation, administration and demos have pairs of
their own. ``read_header`` tells a token which type it has before it. No function here reads a clock; only
``activate_by_hpke`` draws a random number.
"""

from offline_qr.otq1.activation import (
    Account,
    Activation,
    Profile,
    Secrets,
    activate_by_code,
    activate_by_hpke,
    activate_preseeded,
    decode_activation,
    encode_activation,
    read_profile,
)
from offline_qr.otq1.activation_code import check_activation_code, group_activation_code, make_activation_code
from offline_qr.otq1.admin import AdminMessage, Command, compute_admin_code, decode_admin, encode_admin
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
from offline_qr.otq1.demo import Demo, decode_demo, encode_demo
from offline_qr.otq1.envelope import read_header
from offline_qr.otq1.errors import (
    BadSignature,
    Damaged,
    NotEncodable,
    NotForThisToken,
    NotOurs,
    Otq1Error,
    Unsupported,
    WrongActivationCode,
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
    "Account",
    "Activation",
    "AdminMessage",
    "BadSignature",
    "Challenge",
    "Command",
    "Damaged",
    "Demo",
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
    "Profile",
    "Secrets",
    "Tag",
    "Unsupported",
    "Verdict",
    "WrongActivationCode",
    "activate_by_code",
    "activate_by_hpke",
    "activate_preseeded",
    "check_activation_code",
    "compute_admin_code",
    "compute_code",
    "compute_decline_code",
    "compute_duress_code",
    "counter_candidates",
    "decode",
    "decode_activation",
    "decode_admin",
    "decode_demo",
    "derive_keys",
    "encode",
    "encode_activation",
    "encode_admin",
    "encode_demo",
    "group_activation_code",
    "judge",
    "key_id",
    "make_activation_code",
    "read_header",
    "read_profile",
    "resynchronise",
    "time_candidates",
]
