"""The seal of a message: AES-256-GCM-SIV under the token's own key, bound to everything that stands before it."""

from offline_qr import gcm_siv
from offline_qr.otq1.errors import Damaged
from offline_qr.otq1.header import Header
from offline_qr.otq1.keys import Keys


def seal(header: Header, plaintext: bytes, keys: Keys, before: bytes = b"") -> bytes:
    """``plaintext`` sealed under ``qr-seal``: nonce the challenge id, associated data the header and ``before``."""
    return gcm_siv.seal(keys.qr_seal, header.challenge_id, plaintext, header.pack() + before)


def open_sealed(header: Header, sealed: bytes, keys: Keys, before: bytes = b"") -> bytes:
    """The plaintext of ``sealed``.

    Raises:
        Damaged: the seal does not hold.
    """
    try:
        return gcm_siv.open_sealed(keys.qr_seal, header.challenge_id, sealed, header.pack() + before)
    except gcm_siv.SealBrokenError:
        raise Damaged("the seal is broken: the message was changed, or not made for this token's keys") from None
