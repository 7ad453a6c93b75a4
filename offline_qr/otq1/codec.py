"""Logins and transactions: challenge to QR text and back."""

from collections.abc import Set as AbstractSet

from offline_qr import gcm_siv
from offline_qr.otq1 import envelope, seal
from offline_qr.otq1.body import check_for_sending, parse_body
from offline_qr.otq1.challenge import CHALLENGE_TYPES, Challenge
from offline_qr.otq1.errors import Unsupported
from offline_qr.otq1.header import STATELESS_SUITES, Flags
from offline_qr.otq1.keys import Keys

_LEAST = 1 + gcm_siv.TAG_BYTES


def encode(challenge: Challenge, keys: Keys, signing_key: bytes | None = None) -> str:
    """The text of the QR code: for alphanumeric mode, error correction M, no ECI.

    Args:
        challenge: what to ask; its header has ``Flags.SIGNED`` exactly where there is a signing key.
        keys: the token's keys.
        signing_key: the server's Ed25519 private key, 32 bytes, or None.

    Raises:
        NotEncodable: a text is not in Unicode normal form C, a critical field comes after another, or flag and signing
            key do not go together.
    """
    check_for_sending(challenge.fields)
    return envelope.wrap(challenge.header, seal.seal(challenge.header, challenge.body, keys), signing_key)


def decode(  # noqa: PLR0913 - what a token has and what it can do, each by its name
    text: str | bytes,
    keys: Keys,
    token: str | bytes,
    *,
    suites: AbstractSet[int] = STATELESS_SUITES,
    flags: Flags = ~Flags.NONE,
    verify_key: bytes | None = None,
) -> Challenge:
    """The challenge that ``text`` carries, after every check that needs no clock.

    Args:
        text: what the QR decoder read, untouched: no trimming, no change of case.
        keys: the token's keys.
        token: the token's serial (str), or its key id where it is known already (4 bytes).
        suites: those that the token can answer: 3 needs a counter, 4 a PIN pad, 5 a clock, the others nothing.
        flags: those that the token can obey.
        verify_key: the server's Ed25519 public key, 32 bytes; then unsigned messages are refused. None: signed ones are.

    Raises:
        NotOurs: no OTQ1 text.
        Unsupported: a version, type, suite, flag or tag that this token does not know.
        NotForThisToken: the message names another token; nothing was decrypted.
        Damaged: anything else that is wrong with it; its subclass BadSignature names the signature.
    """
    header, sealed = envelope.unwrap(text, token, CHALLENGE_TYPES, _LEAST, verify_key)
    if header.suite not in suites:
        raise Unsupported(f"this token cannot compute suite {header.suite}: expected one of {sorted(suites)}")
    if beyond := header.flags & ~flags:
        raise Unsupported(f"this token cannot do what the flags {beyond:04b} ask for: expected {flags:04b} at most")
    return Challenge(header, parse_body(seal.open_sealed(header, sealed, keys)))
