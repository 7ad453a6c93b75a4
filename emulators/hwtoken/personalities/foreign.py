"""Names for codes that are no challenge, so that the token can tell its user what was scanned instead."""

import re

KINDS = (
    (rb"AQB1:", "a badge"),
    (rb"(?i:otpauth(-migration)?:)", "an OTP set-up code"),
    (rb"(?i:tiqr(auth|enroll):)", "a tiqr code"),
    (rb"(?i:lseqr:)", "a LinOTP code"),
    (rb"(?i:FIDO:/)", "a passkey code"),
    (rb"(?i:https?://)", "a web address"),
    (rb"(?i:WIFI:)", "a Wi-Fi code"),
    (rb"(?i:(BEGIN:VCARD|MECARD:))", "a contact card"),
    (rb"SPC\r?\n", "a payment slip"),
    (rb"BCD\r?\n", "a payment slip"),
    (rb"(?i:otq1:|\s+OTQ1:)", "a garbled code"),
    (rb"[0-9]+\Z", "a number"),
    (rb"\Z", "an empty code"),
)
"""Pattern at the start of the bytes, and what such a code is called; the first that fits counts."""


def name_of(data: bytes) -> str:
    """What a code that reads ``data`` is, in words that quote nothing of it."""
    for pattern, name in KINDS:
        if re.match(pattern, data):
            return name
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "a code without text"
    return "some other text"
