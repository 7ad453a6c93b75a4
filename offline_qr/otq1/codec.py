"""Challenge to QR text and back. The only way into this protocol from outside is ``decode``."""

import hmac

from offline_qr import base45_strict, gcm_siv
from offline_qr.otq1.body import check_for_sending, parse_body
from offline_qr.otq1.challenge import Challenge
from offline_qr.otq1.errors import Damaged, NotForThisToken, NotOurs
from offline_qr.otq1.header import HEADER_BYTES, parse_header
from offline_qr.otq1.keys import Keys, key_id

PREFIX = b"OTQ1:"
MIN_MESSAGE_BYTES = HEADER_BYTES + 1 + gcm_siv.TAG_BYTES
MAX_MESSAGE_BYTES = 400
_MAX_TEXT = 4296
"""Characters in the largest QR code in alphanumeric mode."""


def encode(challenge: Challenge, keys: Keys) -> str:
    """The text of the QR code: for alphanumeric mode, error correction M, no ECI.

    Raises:
        NotEncodable: a text is not in Unicode normal form C, or a critical field comes after another.
    """
    check_for_sending(challenge.fields)
    header = challenge.header.pack()
    sealed = gcm_siv.seal(keys.qr_seal, challenge.header.challenge_id, challenge.body, header)
    return PREFIX.decode() + base45_strict.encode(header + sealed)


def decode(text: str | bytes, keys: Keys, token: str | bytes) -> Challenge:
    """The challenge that ``text`` carries, after every check that needs no clock.

    Args:
        text: what the QR decoder read, untouched: no trimming, no change of case.
        keys: the token's keys.
        token: the token's serial (str), or its key id where it is known already (4 bytes).

    Raises:
        NotOurs: no OTQ1 text.
        Unsupported: a version, type, suite, flag or tag that this implementation does not know.
        NotForThisToken: the message names another token; nothing was decrypted.
        Damaged: anything else that is wrong with it.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if not data.startswith(PREFIX):
        raise NotOurs(f"this is another code: expected a text that starts with {PREFIX.decode()}")
    message = _message(data.removeprefix(PREFIX))
    header = parse_header(message)
    if not hmac.compare_digest(header.key_id, key_id(token) if isinstance(token, str) else token):
        raise NotForThisToken("this message is for another token")
    if not MIN_MESSAGE_BYTES <= len(message) <= MAX_MESSAGE_BYTES:
        raise Damaged(f"a message has {MIN_MESSAGE_BYTES} to {MAX_MESSAGE_BYTES} bytes, found {len(message)}")
    try:
        body = gcm_siv.open_sealed(keys.qr_seal, header.challenge_id, message[HEADER_BYTES:], message[:HEADER_BYTES])
    except gcm_siv.SealBrokenError:
        raise Damaged("the seal is broken: the message was changed, or not made for this token's keys") from None
    return Challenge(header, parse_body(body))


def _message(encoded: bytes) -> bytes:
    if len(encoded) > _MAX_TEXT:
        raise Damaged(
            f"the text is longer than any QR code: expected up to {_MAX_TEXT} characters, found {len(encoded)}"
        )
    try:
        return base45_strict.decode(encoded)
    except ValueError:
        raise Damaged("the text is not base45: characters are missing or were changed") from None
