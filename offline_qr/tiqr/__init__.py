"""tiqr (SURFnet): enrolment and authentication by QR code, both sides, with a PIN that only the server can check.

A code is OCRA over the challenge's question and session key. Challenges are signed by nobody: a token shows whom it would
log in to, and the user decides. Nothing here opens a connection: a token that is online posts ``Login.form`` itself, one
that is offline shows the response.
"""

from offline_qr.tiqr.authentication import (
    DEFAULT_SUITE,
    AuthenticationChallenge,
    parse_authentication,
    parse_response_suite,
)
from offline_qr.tiqr.enrolment import EnrolmentLink, Identity, Metadata, Service, parse_enrolment, parse_metadata
from offline_qr.tiqr.errors import Damaged, NotOurs, TiqrError, Unsupported
from offline_qr.tiqr.posts import (
    PROTOCOL_HEADER,
    Login,
    Registration,
    Reply,
    ReplyCode,
    parse_login,
    parse_registration,
    parse_reply,
)
from offline_qr.tiqr.secret import LockedSecret, lock, unlock

__all__ = [
    "DEFAULT_SUITE",
    "PROTOCOL_HEADER",
    "AuthenticationChallenge",
    "Damaged",
    "EnrolmentLink",
    "Identity",
    "LockedSecret",
    "Login",
    "Metadata",
    "NotOurs",
    "Registration",
    "Reply",
    "ReplyCode",
    "Service",
    "TiqrError",
    "Unsupported",
    "lock",
    "parse_authentication",
    "parse_enrolment",
    "parse_login",
    "parse_metadata",
    "parse_registration",
    "parse_reply",
    "parse_response_suite",
    "unlock",
]
